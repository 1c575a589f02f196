// SPDX-License-Identifier: Apache-2.0
#include "sys/send_ring.hpp"

#include "sys/fault.hpp"
#include "sys/recv_send.hpp"
#include "sys/socket.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace weft::sys {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

class SendRingTest : public testing::Test {
 protected:
  void SetUp() override {
    Result<SendRing> created = SendRing::create();
    if (!created) {
      // Refused for one of the reasons that there are, not by a mistake of ours; write_batch_test does
      // without.
      ASSERT_THAT(created.error().value(), testing::AnyOf(ENOSYS, EPERM, EINVAL))
          << created.error().message();
      GTEST_SKIP() << "the kernel has no io_uring for us: " << created.error().message();
    }
    ring = std::move(*created);
    for (int i = 0; i < 4; ++i) pairs.push_back(create_socket_pair(SOCK_STREAM).value());
  }

  RingSend to(std::size_t pair, std::string_view text) const {
    return {.fd = pairs[pair].first.get(), .data = bytes_of(text), .raw = 0};
  }
  /// What has come at the other end.
  std::string at(std::size_t pair) const {
    std::array<std::byte, 256> buffer;
    const Result<std::size_t> size = recv(pairs[pair].second.get(), buffer, MSG_DONTWAIT);
    return size ? std::string(reinterpret_cast<const char*>(buffer.data()), *size) : std::string();
  }

  SendRing ring;
  std::vector<SocketPair> pairs;
};

TEST_F(SendRingTest, SeveralMessagesAreOneCall) {
  std::array sends{to(0, "zero"), to(1, "one"), to(2, "two")};
  const CallCounter counter;
  ring.send(sends);
  EXPECT_EQ(counter.counts()[Call::ring_enter], 1u);
  EXPECT_EQ(counter.counts()[Call::ring_send], 3u);
  EXPECT_EQ(counter.counts().total(), 1u);
  EXPECT_EQ(sends[0].raw, 4);
  EXPECT_EQ(sends[1].raw, 3);
  EXPECT_EQ(sends[2].raw, 3);
  EXPECT_EQ(at(0), "zero");
  EXPECT_EQ(at(1), "one");
  EXPECT_EQ(at(2), "two");
}

TEST_F(SendRingTest, EachHasAnAnswerOfItsOwn) {
  pairs[1].second.reset();  // EPIPE
  const std::string block(1 << 16, 'f');
  while (send(pairs[2].first.get(), bytes_of(block), MSG_DONTWAIT)) {}  // EAGAIN
  std::array sends{to(0, "zero"), to(1, "one"), to(2, "two"), to(3, "three")};
  ring.send(sends);
  EXPECT_EQ(sends[0].raw, 4);
  EXPECT_EQ(sends[1].raw, -EPIPE);
  EXPECT_EQ(sends[2].raw, -EAGAIN);
  EXPECT_EQ(sends[3].raw, 5);
  EXPECT_EQ(at(3), "three");
}

TEST_F(SendRingTest, AsManyAsItTakesManyTimes) {
  for (int round = 0; round < 100; ++round) {
    std::array<RingSend, SendRing::kSendsMax> sends;
    sends.fill(to(0, "x"));
    ring.send(sends);
    for (const RingSend& sent : sends) EXPECT_EQ(sent.raw, 1);
    EXPECT_EQ(at(0), std::string(SendRing::kSendsMax, 'x'));
  }
}

TEST_F(SendRingTest, WhatARefusedCallWasToSendIsNeverSent) {
  FaultPlan faults;
  faults.fail(Call::ring_enter, EBUSY, {.times = 3});
  for (int i = 0; i < 3; ++i) {
    std::array sends{to(0, "lost"), to(1, "lost")};
    ring.send(sends);
    EXPECT_EQ(sends[0].raw, RingSend::kNotSent);
    EXPECT_EQ(sends[1].raw, RingSend::kNotSent);
  }
  std::array sends{to(0, "zero"), to(1, "one")};
  ring.send(sends);
  EXPECT_EQ(sends[0].raw, 4);
  EXPECT_EQ(sends[1].raw, 3);
  EXPECT_EQ(at(0), "zero");
  EXPECT_EQ(at(1), "one");
}

// Void entries fill the ring until a call goes through.
TEST_F(SendRingTest, NothingIsForgottenWhenManyCallsAreRefused) {
  FaultPlan faults;
  faults.fail(Call::ring_enter, EBUSY, {.times = 10});
  std::array<RingSend, SendRing::kSendsMax> sends;
  for (int i = 0; i < 10; ++i) {
    sends.fill(to(0, "x"));
    ring.send(sends);
    for (const RingSend& sent : sends) EXPECT_EQ(sent.raw, RingSend::kNotSent);
  }
  std::size_t count = 0;
  for (int i = 0; i < 2; ++i) {
    sends.fill(to(0, "y"));
    ring.send(sends);
    for (const RingSend& sent : sends) count += sent.raw == 1 ? 1 : 0;
  }
  EXPECT_GE(count, SendRing::kSendsMax);
  EXPECT_EQ(at(0), std::string(count, 'y'));
}

TEST_F(SendRingTest, AnInterruptedCallIsMadeAgain) {
  FaultPlan faults;
  faults.fail(Call::ring_enter, EINTR, {.times = 2});
  std::array sends{to(0, "zero")};
  ring.send(sends);
  EXPECT_EQ(sends[0].raw, 4);
}

TEST_F(SendRingTest, RulesForSendsMatchItsMessages) {
  FaultPlan faults;
  faults.fail(Call::send, ECONNRESET, {.fd = pairs[0].first.get()});
  faults.shorten(Call::send, 2, {.fd = pairs[1].first.get()});
  std::array sends{to(0, "zero"), to(1, "one"), to(2, "two")};
  ring.send(sends);
  EXPECT_EQ(sends[0].raw, -ECONNRESET);
  EXPECT_EQ(sends[1].raw, 2);
  EXPECT_EQ(sends[2].raw, 3);
  EXPECT_EQ(at(0), "");
  EXPECT_EQ(at(1), "on");
}

TEST(SendRing, ARefusedRingIsAnError) {
  FaultPlan faults;
  faults.fail(Call::ring_create, EPERM);
  EXPECT_EQ(SendRing::create().error().value(), WEFT_HAVE_LIBURING ? EPERM : ENOSYS);
}

}  // namespace
}  // namespace weft::sys
