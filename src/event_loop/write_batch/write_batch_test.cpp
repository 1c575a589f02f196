// SPDX-License-Identifier: Apache-2.0
// The batch by itself, without fibers: its slots, the calls it makes, and who may send.
#include "event_loop/write_batch/write_batch.hpp"

#include "support/sockets.hpp"
#include "sys/fault.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weft {
namespace {

using sys::Call;

class WriteBatchTest : public testing::Test {
 protected:
  WriteBatchTest() : socket(test::tcp_connection()) {}
  ~WriteBatchTest() override { EXPECT_TRUE(socket.near.close()); }

  struct Write {
    WriteSlot* slot = nullptr;
    WriteTicket ticket = 0;
    bool over() const { return slot->word.is_over(ticket); }
    bool held() const { return slot->word.fate(ticket) == WriteWord::Fate::kHeld; }
    /// As its fiber does.
    void take_back() const {
      ASSERT_TRUE(held());
      slot->word.give_back();
    }
  };
  Write queue(std::string_view text) {
    WriteSlot* const slot = batch.reserve(text.size());
    if (slot == nullptr) return {};
    slot->fill(*socket.near.handle.descriptor, std::as_bytes(std::span(text)));
    return {slot, batch.queue(*slot)};
  }
  /// What the other end has received, `size` bytes.
  std::string received(std::size_t size) const {
    std::string all;
    while (all.size() < size) all += socket.far.receive(size - all.size());
    return all;
  }

  test::Connection socket;
  WriteBatch batch;
};

TEST_F(WriteBatchTest, NothingIsSentBeforeTheFlush) {
  const Write write = queue("hello");
  EXPECT_FALSE(batch.empty());
  EXPECT_FALSE(write.over());
  char byte = 0;
  EXPECT_EQ(::recv(socket.far.fd.get(), &byte, 1, MSG_DONTWAIT), -1);
  batch.flush();
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(write.over());
  EXPECT_EQ(received(5), "hello");
}

TEST_F(WriteBatchTest, OneWriteIsASendAndSeveralAreOneCallOfTheRing) {
  const sys::CallCounter counter;
  queue("one");
  batch.flush();
  EXPECT_EQ(counter.counts()[Call::send], 1u);
  EXPECT_EQ(counter.counts()[Call::ring_create], 0u);
  const bool has_ring = sys::SendRing::create().has_value();  // without one, each is a send
  queue("two");
  queue("three");
  batch.flush();
  queue("four");
  queue("five");
  batch.flush();
  EXPECT_EQ(counter.counts()[Call::send], has_ring ? 1u : 5u);
  EXPECT_EQ(counter.counts()[Call::ring_enter], has_ring ? 2u : 0u);
  EXPECT_EQ(batch.writes(), 5u);
  EXPECT_EQ(batch.batches(), has_ring ? 2u : 0u);
  EXPECT_EQ(received(19), "onetwothreefourfive");
}

TEST_F(WriteBatchTest, WithoutARingEachIsASend) {
  sys::FaultPlan faults;
  faults.fail(Call::ring_create, EPERM);
  const sys::CallCounter counter;
  for (int i = 0; i < 3; ++i) {
    queue("a");
    queue("b");
    batch.flush();
  }
  EXPECT_EQ(counter.counts()[Call::send], 6u);
  EXPECT_EQ(counter.counts()[Call::ring_create], WEFT_HAVE_LIBURING ? 1u : 0u) << "asked once";
  EXPECT_EQ(received(6), "ababab");
}

TEST_F(WriteBatchTest, WhatTheRingDoesNotTakeIsSentByItself) {
  sys::FaultPlan faults;
  faults.fail(Call::ring_enter, EBUSY, {.times = sys::FaultRange::kAlways});
  const Write one = queue("one");
  const Write two = queue("two");
  batch.flush();
  EXPECT_TRUE(one.over());
  EXPECT_TRUE(two.over());
  EXPECT_EQ(received(6), "onetwo");
}

TEST_F(WriteBatchTest, TheSeventeenthWriteFlushesTheOthers) {
  std::vector<Write> writes;
  for (std::uint32_t i = 0; i < WriteBatch::kSlots; ++i) writes.push_back(queue("x"));
  EXPECT_FALSE(writes.front().over());
  const Write last = queue("y");
  for (const Write& write : writes) EXPECT_TRUE(write.over());
  EXPECT_FALSE(last.over());
  EXPECT_EQ(received(WriteBatch::kSlots), std::string(WriteBatch::kSlots, 'x'));
}

TEST_F(WriteBatchTest, AWriteThatFailsIsHeldWithItsReason) {
  sys::FaultPlan faults;
  faults.fail(Call::send, EPIPE);
  faults.shorten(Call::send, 2);
  faults.fail(Call::send, EAGAIN);
  const Write refused = queue("lost");
  const Write shortened = queue("short");
  const Write full = queue("full");
  const Write good = queue("good");
  batch.flush();
  EXPECT_TRUE(refused.held());
  EXPECT_EQ(refused.slot->error, EPIPE);
  EXPECT_TRUE(shortened.held());
  EXPECT_EQ(shortened.slot->error, 0);
  EXPECT_EQ(shortened.slot->sent, 2u);
  EXPECT_TRUE(full.held());
  EXPECT_EQ(full.slot->error, 0);
  EXPECT_EQ(full.slot->sent, 0u);
  EXPECT_TRUE(good.over());
  EXPECT_EQ(received(6), "shgood");
  for (const Write& held : {refused, shortened, full}) held.take_back();
}

TEST_F(WriteBatchTest, AHeldSlotIsPassedOver) {
  sys::FaultPlan faults;
  faults.fail(Call::send, EAGAIN);
  const Write held = queue("held");
  batch.flush();
  for (int i = 0; i < 50; ++i) {
    EXPECT_NE(queue("x").slot, held.slot);
    batch.flush();
  }
  held.take_back();
  EXPECT_EQ(queue("y").slot, held.slot);
  batch.flush();
}

TEST_F(WriteBatchTest, WithAllSlotsHeldNothingIsPutOff) {
  sys::FaultPlan faults;
  faults.fail(Call::send, EAGAIN, {.times = WriteBatch::kSlots});
  std::vector<Write> held;
  for (std::uint32_t i = 0; i < WriteBatch::kSlots; ++i) held.push_back(queue("held"));
  batch.flush();
  EXPECT_EQ(batch.reserve(1), nullptr);
  EXPECT_TRUE(batch.empty());
  for (const Write& write : held) write.take_back();
  EXPECT_NE(batch.reserve(1), nullptr);
}

TEST_F(WriteBatchTest, AWriteThatIsTooLargeIsNotPutOff) {
  EXPECT_NE(batch.reserve(WriteSlot::kSizeMax), nullptr);
  EXPECT_EQ(batch.reserve(WriteSlot::kSizeMax + 1), nullptr);
}

TEST_F(WriteBatchTest, AWithdrawnWriteIsNotSent) {
  const Write write = queue("not sent");
  const Write other = queue("other");
  EXPECT_TRUE(write.slot->word.withdraw(write.ticket));
  batch.flush();
  write.take_back();
  EXPECT_TRUE(other.over());
  EXPECT_EQ(received(5), "other");
  EXPECT_FALSE(other.slot->word.withdraw(other.ticket)) << "it was sent";
}

TEST_F(WriteBatchTest, AnotherThreadMayFlush) {
  batch.flush_from_outside();  // nothing was ever put off
  const Write write = queue("hello");
  std::thread([&] { batch.flush_from_outside(); }).join();
  EXPECT_TRUE(write.over());
  EXPECT_EQ(received(5), "hello");
  batch.flush();
  EXPECT_EQ(batch.writes(), 0u) << "not by its own thread";
}

TEST_F(WriteBatchTest, AThreadThatLeavesGivesItsRingBack) {
  queue("one");
  queue("two");
  batch.leave();
  EXPECT_EQ(received(6), "onetwo");
  std::thread([&] {  // the scheduler's next thread
    queue("three");
    queue("four");
    batch.leave();
  })
      .join();
  EXPECT_EQ(received(9), "threefour");
}

// The monitor comes while the thread flushes by itself, and while others withdraw: each write is made once.
TEST_F(WriteBatchTest, EachWriteIsMadeOnceWhoeverComes) {
  constexpr int kRounds = 500;
  Atomic<bool> done{false};
  std::thread monitor([&] {
    while (!done.load(acquire)) batch.flush_from_outside();
  });
  Atomic<std::size_t> size{0};
  std::string all;
  std::thread reader([&] {
    while (!done.load(acquire) || all.size() < size.load(acquire)) {
      if (all.size() < size.load(acquire)) all += socket.far.receive();
    }
  });
  std::size_t withdrawn = 0;
  for (int i = 0; i < kRounds; ++i) {
    std::array<Write, 3> writes;
    for (Write& write : writes) write = queue("x");
    size.fetch_add(3, acq_rel);
    if (i % 2 == 0 && writes[1].slot->word.withdraw(writes[1].ticket)) {
      ++withdrawn;
      size.fetch_sub(1, acq_rel);
      writes[1].take_back();
    }
    if (i % 3 != 0) batch.flush();
    for (const Write& write : writes) test::eventually([&] { return write.over(); }, "the write");
  }
  done.store(true, release);
  monitor.join();
  reader.join();
  EXPECT_EQ(all.size(), 3u * kRounds - withdrawn);
}

}  // namespace
}  // namespace weft
