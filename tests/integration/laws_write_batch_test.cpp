// SPDX-License-Identifier: Apache-2.0
// Writes that are put off until the fiber waits to read (docs/design/write-batch.md): its invariants and
// races.
#include "event_loop/write_batch/write_batch.hpp"
#include "support/laws.hpp"

#include <weft/buffer_source.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace weft::test {
namespace {

using sys::Call;
using sys::FaultRange;
using namespace std::chrono_literals;

/// A buffer that knows whether it is lent.
class Lent final : public BufferSource {
 public:
  std::span<std::byte> take() override {
    held = true;
    return bytes_;
  }
  void give_back() noexcept override { held = false; }
  std::string text(std::size_t size) const { return {reinterpret_cast<const char*>(bytes_.data()), size}; }

  bool held = true;  // the data to write may lie in it

 private:
  std::array<std::byte, 256> bytes_{};
};

Result<std::string> write_then_read(const Near& near, std::string_view data,
                                    ExchangeDeadlines deadlines = {}) {
  Lent source;
  const Result<std::size_t> size =
      Files::write_then_read(near.handle, std::as_bytes(std::span(data)), source, deadlines);
  EXPECT_TRUE(source.held || !size);
  if (!size) return size.error();
  return source.text(*size);
}

class WriteBatches : public Laws {
 protected:
  /// A connection of A's that was read until it was empty: the next read will wait.
  Connection emptied() {
    Connection connection = tcp_connection();
    connection.far.send("first");
    EXPECT_EQ(a.spawn([&] { return connection.near.read().value(); }).join_uncancellable(), "first");
    return connection;
  }
  static bool nothing_came(const Far& far) {
    char byte = 0;
    return ::recv(far.fd.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -1 && errno == EAGAIN;
  }
  static std::string receive(const Far& far, std::size_t size) {
    std::string all;
    while (all.size() < size) all += far.receive(size - all.size());
    return all;
  }
  std::uint64_t put_off() const { return a.counters().put_off_writes; }
};

TEST_F(WriteBatches, AWriteIsMadeBeforeTheThreadSleeps) {
  const Connection connection = emptied();
  auto fiber = a.spawn([&] { return write_then_read(connection.near, "question").value(); });
  EXPECT_EQ(receive(connection.far, 8), "question");
  connection.far.send("answer");
  EXPECT_EQ(fiber.join_uncancellable(), "answer");
  EXPECT_EQ(put_off(), 1u);
  EXPECT_TRUE(connection.near.close());
}

TEST_F(WriteBatches, WritesOfSeveralFibersAreOneSystemCall) {
  constexpr int kFibers = 10;
  std::vector<Connection> connections;
  for (int i = 0; i < kFibers; ++i) connections.push_back(emptied());
  const std::uint64_t batches_before = a.counters().write_batches;
  const sys::CallCounter counter;
  auto all = a.spawn([&] {
    std::vector<JoinHandle<std::string>> fibers;
    for (const Connection& connection : connections)
      fibers.push_back(spawn([&] { return write_then_read(connection.near, "question").value(); }));
    for (auto& fiber : fibers) EXPECT_EQ(fiber.join_uncancellable(), "answer");
  });
  for (const Connection& connection : connections) {
    EXPECT_EQ(receive(connection.far, 8), "question");
    connection.far.send("answer");
  }
  all.join_uncancellable();
  EXPECT_EQ(put_off(), std::uint64_t{kFibers});
  if (a.counters().write_batches != batches_before) {  // there is an io_uring
    EXPECT_EQ(counter.counts()[Call::ring_enter], 1u);
    EXPECT_EQ(counter.counts()[Call::ring_send], std::uint64_t{kFibers});
    EXPECT_EQ(counter.counts()[Call::send], 0u);
  } else {
    EXPECT_EQ(counter.counts()[Call::send], std::uint64_t{kFibers});
  }
  for (const Connection& connection : connections) EXPECT_TRUE(connection.near.close());
}

TEST_F(WriteBatches, WhatIsReadAtOnceIsWrittenAtOnce) {
  const Connection connection = tcp_connection();  // not known to be empty
  connection.far.send("answer");
  const std::string answer =
      a.spawn([&] { return write_then_read(connection.near, "question").value(); }).join_uncancellable();
  EXPECT_EQ(answer, "answer");
  EXPECT_EQ(receive(connection.far, 8), "question");
  EXPECT_EQ(put_off(), 0u);
  EXPECT_TRUE(connection.near.close());
}

TEST_F(WriteBatches, AWriteThatIsTooLargeIsMadeAtOnce) {
  const Connection connection = emptied();
  const std::string large(WriteSlot::kSizeMax + 1, 'l');
  auto fiber = a.spawn([&] { return write_then_read(connection.near, large).value(); });
  EXPECT_EQ(receive(connection.far, large.size()), large);
  connection.far.send("answer");
  EXPECT_EQ(fiber.join_uncancellable(), "answer");
  EXPECT_EQ(put_off(), 0u);
  EXPECT_TRUE(connection.near.close());
}

TEST_F(WriteBatches, TheBufferIsGivenBackWhenTheWriteIsPutOff) {
  const Connection connection = emptied();
  a.spawn([&] {
     Lent source;
     auto fiber = spawn([&] {
       return Files::write_then_read(connection.near.handle, std::as_bytes(std::span("question", 8)), source,
                                     {})
           .value();
     });
     yield();
     EXPECT_FALSE(source.held);
     EXPECT_TRUE(nothing_came(connection.far)) << "put off: this fiber still runs";
     yield();
     connection.far.send("answer");
     EXPECT_EQ(fiber.join_uncancellable(), 6u);
     EXPECT_EQ(source.text(6), "answer");
   }).join_uncancellable();
  EXPECT_EQ(receive(connection.far, 8), "question");
  EXPECT_TRUE(connection.near.close());
}

// -- a write that does not succeed as a whole

TEST_F(WriteBatches, AShortWriteIsCompletedByItsFiber) {
  const Connection connection = emptied();
  sys::FaultPlan faults;
  faults.shorten(Call::send, 3, {.fd = connection.near.fd()});
  auto fiber = a.spawn([&] { return write_then_read(connection.near, "question").value(); });
  EXPECT_EQ(receive(connection.far, 8), "question");
  connection.far.send("answer");
  EXPECT_EQ(fiber.join_uncancellable(), "answer");
  EXPECT_EQ(put_off(), 1u);
  EXPECT_TRUE(connection.near.close());
}

TEST_F(WriteBatches, AWriteWithoutRoomIsCompletedByItsFiberWhenThereIsSome) {
  const Connection connection = emptied();
  a.spawn([&] { connection.near.fill(); }).join_uncancellable();
  auto fiber = a.spawn([&] { return write_then_read(connection.near, "question").value(); });
  connection.near.until_awaited(Direction::kWrite);
  std::string all;
  while (!all.ends_with("question"))
    all = all.substr(all.size() - std::min<std::size_t>(all.size(), 8)) + connection.far.receive(1 << 16);
  connection.far.send("answer");
  EXPECT_EQ(fiber.join_uncancellable(), "answer");
  EXPECT_TRUE(connection.near.close());
}

TEST_F(WriteBatches, TheWritesDeadlineHoldsForOneWithoutRoom) {
  const Connection connection = emptied();
  a.spawn([&] { connection.near.fill(); }).join_uncancellable();
  const auto late =
      a.spawn([&] {
         return write_then_read(connection.near, "question", {.write = Deadline::after(5ms)}).error();
       }).join_uncancellable();
  EXPECT_EQ(late, Errc::timed_out);
  EXPECT_TRUE(connection.near.close());
}

TEST_F(WriteBatches, AFailureEndsTheWaitAlthoughThereIsNothingToRead) {
  const Connection connection = emptied();
  sys::FaultPlan faults;
  faults.fail(Call::send, EPIPE, {.fd = connection.near.fd()});
  const auto error =
      a.spawn([&] { return write_then_read(connection.near, "question").error(); }).join_uncancellable();
  EXPECT_EQ(error, std::error_code(EPIPE, std::system_category()));
  EXPECT_TRUE(connection.near.close());
}

// Another reader of the stream is woken with it, finds nothing, and waits again.
TEST_F(WriteBatches, AFailureDoesNotDisturbAnotherReader) {
  const Connection connection = emptied();
  auto reader = a.spawn([&] { return connection.near.read().value(); });
  connection.near.until_awaited(Direction::kRead);
  sys::FaultPlan faults;
  faults.fail(Call::send, EPIPE, {.fd = connection.near.fd()});
  EXPECT_FALSE(a.spawn([&] { return write_then_read(connection.near, "question"); }).join_uncancellable());
  connection.far.send("for the reader");
  EXPECT_EQ(reader.join_uncancellable(), "for the reader");
  EXPECT_TRUE(connection.near.close());
}

// -- races

// The fiber is woken before its write was made: it makes it.
TEST_F(WriteBatches, ACancelledFiberHasWritten) {
  const Connection connection = emptied();
  a.spawn([&] {
     auto fiber = spawn([&] { return write_then_read(connection.near, "question").error(); });
     yield();
     EXPECT_TRUE(nothing_came(connection.far));
     fiber.cancel();
     EXPECT_EQ(fiber.join_uncancellable(), Errc::cancelled);
   }).join_uncancellable();
  EXPECT_EQ(receive(connection.far, 8), "question");
  EXPECT_EQ(put_off(), 0u) << "withdrawn";
  EXPECT_TRUE(connection.near.close());
}

TEST_F(WriteBatches, AFiberWhoseReadTimesOutHasWritten) {
  const Connection connection = emptied();
  const auto late =
      a.spawn([&] {
         return write_then_read(connection.near, "question", {.read = Deadline::after(5ms)}).error();
       }).join_uncancellable();
  EXPECT_EQ(late, Errc::timed_out);
  EXPECT_EQ(receive(connection.far, 8), "question");
  EXPECT_TRUE(connection.near.close());
}

// The number is not given back to the kernel while a write for it is queued.
TEST_F(WriteBatches, AStreamThatIsClosedWithAWritePutOffHasWritten) {
  const Connection connection = emptied();
  a.spawn([&] {
     auto fiber = spawn([&] { return write_then_read(connection.near, "question").error(); });
     yield();
     EXPECT_TRUE(nothing_came(connection.far));
     EXPECT_TRUE(connection.near.close());  // waits for the fiber, which is a user
     EXPECT_EQ(fiber.join_uncancellable(), Errc::closed);
   }).join_uncancellable();
  EXPECT_EQ(receive(connection.far, 8), "question");
}

TEST_F(WriteBatches, AnAnswerThatOvertakesTheWriteIsReadAfterIt) {
  const Connection connection = emptied();
  a.spawn([&] {
     auto fiber = spawn([&] { return write_then_read(connection.near, "question").value(); });
     yield();
     connection.far.send("early");  // before the flush: the poll comes after it
     EXPECT_EQ(fiber.join_uncancellable(), "early");
   }).join_uncancellable();
  EXPECT_EQ(receive(connection.far, 8), "question");
  EXPECT_TRUE(connection.near.close());
}

// L12: the thread's other fibers never let it come to its end.
TEST_F(WriteBatches, FibersThatKeepTheThreadBusyDoNotKeepAWriteBack) {
  const Connection connection = emptied();
  auto fiber = a.spawn([&] {
    auto writer = spawn([&] { return write_then_read(connection.near, "question").value(); });
    Atomic<bool> done{false};
    auto other = spawn([&] {
      while (!done.load(relaxed)) yield();
    });
    while (nothing_came(connection.far)) yield();
    connection.far.send("answer");
    EXPECT_EQ(writer.join_uncancellable(), "answer");
    done.store(true, relaxed);
    other.join_uncancellable();
  });
  fiber.join_uncancellable();
  EXPECT_EQ(receive(connection.far, 8), "question");
  EXPECT_TRUE(connection.near.close());
}

// S11: the monitor's look makes it.
TEST_F(WriteBatches, AFiberThatNeverSuspendsDoesNotKeepAWriteBack) {
  const Connection connection = emptied();
  auto fiber = a.spawn([&] {
    auto writer = spawn([&] { return write_then_read(connection.near, "question").value(); });
    yield();
    eventually([&] { return !nothing_came(connection.far); }, "the write, while this fiber keeps the thread");
    connection.far.send("answer");
    EXPECT_EQ(writer.join_uncancellable(), "answer");
  });
  fiber.join_uncancellable();
  EXPECT_EQ(receive(connection.far, 8), "question");
  EXPECT_EQ(put_off(), 0u) << "not by its own thread";
  EXPECT_TRUE(connection.near.close());
}

// A failure that the monitor finds.
TEST_F(WriteBatches, AWriteThatFailsFromOutsideWakesItsFiber) {
  const Connection connection = emptied();
  sys::FaultPlan faults;
  faults.fail(Call::send, EPIPE, {.fd = connection.near.fd()});
  a.spawn([&] {
     auto writer = spawn([&] { return write_then_read(connection.near, "question").error(); });
     yield();
     eventually([&] { return faults.applied() != 0; }, "the monitor");
     EXPECT_EQ(writer.join_uncancellable(), std::error_code(EPIPE, std::system_category()));
   }).join_uncancellable();
  EXPECT_TRUE(connection.near.close());
}

// The fiber is woken, on another thread, while its write is being made: it waits for that, and does not write
// twice.
TEST_F(WriteBatches, AFiberThatIsWokenDuringItsWriteWaitsForItsEnd) {
  ParallelContext two("two", {.parallelism = 2});
  const Connection connection = tcp_connection();
  connection.far.send("first");
  EXPECT_EQ(two.spawn([&] { return connection.near.read().value(); }).join_uncancellable(), "first");
  Window window;
  sys::FaultPlan faults;
  faults.run(Call::send, [&](int) { window.hold(); }, {.fd = connection.near.fd()});
  auto fiber = two.spawn([&] { return write_then_read(connection.near, "question").error(); });
  window.entered.wait();  // one of the two threads stands before its system call
  const std::uint64_t switches = two.counters().switches;
  fiber.cancel();
  eventually([&] { return two.counters().switches != switches; }, "the fiber on the other thread");
  window.leave.open();
  EXPECT_EQ(fiber.join_uncancellable(), Errc::cancelled);
  EXPECT_EQ(receive(connection.far, 8), "question");
  EXPECT_TRUE(nothing_came(connection.far)) << "twice";
  EXPECT_TRUE(connection.near.close());
}

// The turn to write (descriptor.md) of a fiber whose write was put off: another context wants it.

Result<std::size_t> write_from(ExecutionContext& context, const Near& near, std::string_view text) {
  return context.spawn([&near, text] { return near.write(text); }).join_uncancellable();
}

TEST_F(WriteBatches, WT3_AnotherTakesTheTurnOnceThePutOffWriteIsOver) {
  const Connection connection = emptied();
  auto fiber = a.spawn([&] { return write_then_read(connection.near, "question").value(); });
  EXPECT_EQ(receive(connection.far, 8), "question");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(write_from(b, connection.near, "more").value(), 4u);
  EXPECT_EQ(receive(connection.far, 12), "moremoremore");
  connection.far.send("answer");
  EXPECT_EQ(fiber.join_uncancellable(), "answer");
  EXPECT_EQ(write_from(a, connection.near, "end").value(), 3u) << "the turn was given up once";
  EXPECT_EQ(receive(connection.far, 3), "end");
  EXPECT_EQ(put_off(), 1u);
  EXPECT_TRUE(connection.near.close());
}

// Its thread is kept by another fiber: the one who wants the turn withdraws the write, whose fiber makes it
// first.
TEST_F(WriteBatches, WT2_AWriteThatIsStillQueuedComesFirst) {
  const Connection connection = emptied();
  Window window;
  auto fibers = a.spawn([&] {
    auto asking = spawn([&] { return write_then_read(connection.near, "question").value(); });
    yield();
    window.hold();
    return asking.join_uncancellable();
  });
  window.entered.wait();
  auto other = b.spawn([&] { return connection.near.write("more").value(); });
  eventually(
      [&] {
        const std::scoped_lock lock(connection.near.handle.descriptor->lock);
        return !connection.near.handle.descriptor->writers.empty();
      },
      "the other writer");
  window.leave.open();
  EXPECT_EQ(other.join_uncancellable(), 4u);
  EXPECT_EQ(receive(connection.far, 12), "questionmore");
  connection.far.send("answer");
  EXPECT_EQ(fibers.join_uncancellable(), "answer");
  EXPECT_TRUE(connection.near.close());
}

// Not all of it is taken: the rest follows before the other's.
TEST_F(WriteBatches, WT1_AWriteThatIsCutShortKeepsItsTurn) {
  const Connection connection = emptied();
  sys::FaultPlan cut;
  cut.shorten(Call::send, 3, {.fd = connection.near.fd()});
  Window window;
  auto fiber = a.spawn([&] {
    auto asking = spawn([&] { return write_then_read(connection.near, "question").value(); });
    yield();
    window.hold();
    return asking.join_uncancellable();
  });
  window.entered.wait();
  auto other = b.spawn([&] { return connection.near.write("more").value(); });
  window.leave.open();
  EXPECT_EQ(other.join_uncancellable(), 4u);
  EXPECT_EQ(receive(connection.far, 12), "questionmore");
  connection.far.send("answer");
  EXPECT_EQ(fiber.join_uncancellable(), "answer");
  EXPECT_TRUE(connection.near.close());
}

// A context that shrinks: the thread that leaves makes the writes of its fibers.
TEST_F(WriteBatches, AThreadThatLeavesMakesTheWritesOfItsFibers) {
  ParallelContext shrinking("shrinking", {.parallelism = 2});
  std::vector<Connection> connections;
  for (int i = 0; i < 8; ++i) {
    connections.push_back(tcp_connection());
    connections.back().far.send("first");
    EXPECT_EQ(shrinking.spawn([&] { return connections.back().near.read().value(); }).join_uncancellable(),
              "first");
  }
  for (int round = 0; round < 20; ++round) {
    std::vector<JoinHandle<std::string>> fibers;
    for (const Connection& connection : connections)
      fibers.push_back(shrinking.spawn([&] { return write_then_read(connection.near, "question").value(); }));
    shrinking.resize(round % 2 == 0 ? 1 : 2);
    for (const Connection& connection : connections) {
      EXPECT_EQ(receive(connection.far, 8), "question");
      connection.far.send("answer");
    }
    for (auto& fiber : fibers) EXPECT_EQ(fiber.join_uncancellable(), "answer");
  }
  for (const Connection& connection : connections) EXPECT_TRUE(connection.near.close());
}

}  // namespace
}  // namespace weft::test
