// SPDX-License-Identifier: Apache-2.0
// What becomes of fibers when the function given to run() returns. Those that had not started were started
// then, cancelled, and used what it had lent them: a destroyed channel, and the program spun for ever.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <memory>
#include <optional>

namespace {

using namespace std::chrono_literals;

TEST(MainReturns, DetachedFibersThatHaveNotStartedAreNotStarted) {
  int ran = 0;
  const auto witness = std::make_shared<int>(0);
  EXPECT_EQ(weft::run([&] {
              weft::Channel<int> channel;
              for (int i = 0; i < 3; ++i) {
                weft::spawn([&ran, &channel, witness] {
                  ++ran;
                  (void)channel.receive();
                });
              }
              return 5;
            }),
            5);
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(witness.use_count(), 1) << "their closures are destroyed";
}

TEST(MainReturns, TheSameOnSeveralThreadsAndUnderEachStrategy) {
  for (const weft::EventLoopStrategy& strategy : weft::EventLoopStrategy::named()) {
    for (std::uint32_t threads : {1U, 2U, 4U}) {
      const auto witness = std::make_shared<int>(0);
      EXPECT_EQ(weft::run({.parallelism = threads, .strategy = strategy},
                          [&] {
                            for (int i = 0; i < 100; ++i) weft::spawn([witness] {});
                          }),
                0);
      EXPECT_EQ(witness.use_count(), 1) << strategy.to_string();
    }
  }
}

TEST(MainReturns, AFiberWithAHandleRunsCancelled) {
  std::optional<weft::JoinHandle<bool>> handle;
  weft::run([&] { handle = weft::spawn([] { return weft::sleep(1h).error() == weft::Errc::cancelled; }); });
  EXPECT_TRUE(handle->join_uncancellable());
}

TEST(MainReturns, ChildrenOfATaskGroupRun) {
  int ran = 0;
  weft::run([&] {
    weft::TaskGroup<void> group;
    for (int i = 0; i < 3; ++i) group.spawn([&] { ++ran; });
  });
  EXPECT_EQ(ran, 3);
}

TEST(MainReturns, FibersThatHaveStartedAreCancelledAndWaitedFor) {
  bool cancelled = false;
  weft::run([&] {
    weft::spawn([&] { cancelled = weft::sleep(1h).error() == weft::Errc::cancelled; });
    weft::yield();
  });
  EXPECT_TRUE(cancelled);
}

TEST(MainReturns, WhatAFiberSpawnsWhileItIsCancelledIsNotStartedEither) {
  bool ran = false;
  weft::run([&] {
    weft::spawn([&] {
      (void)weft::sleep(1h);
      weft::spawn([&] { ran = true; });
    });
    weft::yield();
  });
  EXPECT_FALSE(ran);
}

// Other contexts end when they are destroyed, in the order of the scopes: their fibers run, cancelled.
TEST(MainReturns, FibersOfOtherContextsRunCancelled) {
  int ran = 0;
  weft::run([&] {
    weft::ConcurrentContext other("other");
    other.spawn([&] { ++ran; });
  });
  EXPECT_EQ(ran, 1);
}

TEST(MainReturnsDeathTest, AChannelThatIsStillWaitedForIsNamed) {
  EXPECT_DEATH(weft::run([] {
                 weft::Channel<int> channel;
                 weft::spawn([&] { (void)channel.receive(); });
                 weft::yield();
               }),
               "a channel is destroyed while somebody waits on it");
}

}  // namespace
