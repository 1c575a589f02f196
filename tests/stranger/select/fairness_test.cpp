// SPDX-License-Identifier: Apache-2.0
// A channel that stands in two branches of a select that waits: each is taken about as often. Whoever came
// found the node of the first branch in front, always.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

namespace {

constexpr int kRounds = 400;

/// One of 10^29 runs is outside, if each is as likely.
void expect_about_half(int taken) {
  EXPECT_GT(taken, kRounds / 10);
  EXPECT_LT(taken, kRounds * 9 / 10);
}

TEST(SelectFairness, OfTwoReceivesThatWaitAtOneChannel) {
  stranger::in_fiber([] {
    weft::Channel<int> channel;
    auto sender = weft::spawn([&] {
      for (int i = 0; i < kRounds; ++i) {
        EXPECT_TRUE(channel.try_send(i)) << "the select waits";
        weft::yield();
      }
    });
    int first = 0;
    for (int i = 0; i < kRounds; ++i) {
      const auto got = [&](weft::Result<int> value) { EXPECT_EQ(value.value(), i); };
      if (weft::select(weft::receive(channel, got), weft::receive(channel, got)).index() == 0) ++first;
    }
    expect_about_half(first);
    sender.join_uncancellable();
  });
}

TEST(SelectFairness, OfTwoSendsThatWaitAtOneChannel) {
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}}) {
    stranger::in_fiber([capacity] {
      weft::Channel<int> channel(capacity);
      auto receiver = weft::spawn([&] {
        int ones = 0;
        for (int i = 0; i < kRounds; ++i) {
          ones += channel.try_receive().value();  // the select waits
          weft::yield();
        }
        return ones;
      });
      for (int i = 0; i < kRounds; ++i) {
        EXPECT_TRUE(weft::select(weft::send(channel, 0, [] {}), weft::send(channel, 1, [] {})));
      }
      expect_about_half(receiver.join().value());
    });
  }
}

TEST(SelectFairness, WithPrioritiesTheFirstOfThemIsTaken) {
  stranger::in_fiber([] {
    weft::Channel<int> channel;
    auto sender = weft::spawn([&] {
      for (int i = 0; i < kRounds; ++i) {
        EXPECT_TRUE(channel.try_send(i)) << "the select waits";
        weft::yield();
      }
    });
    for (int i = 0; i < kRounds; ++i) {
      const auto got = [](weft::Result<int> value) { EXPECT_TRUE(value); };
      EXPECT_EQ(weft::select_first(weft::receive(channel, got), weft::receive(channel, got)).index(), 0u);
    }
    sender.join_uncancellable();
  });
}

TEST(SelectFairness, OfTwoJoinsOfOneFiberOneIsTaken) {
  stranger::in_fiber([] {
    auto fiber = weft::spawn([] { return 3; });
    int joined = 0;
    EXPECT_TRUE(weft::select(weft::join(fiber, [&](int value) { joined += value; }),
                             weft::join(fiber, [&](int value) { joined += value; })));
    EXPECT_EQ(joined, 3);
    EXPECT_FALSE(fiber.joinable());
  });
}

}  // namespace
