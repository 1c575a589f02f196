// SPDX-License-Identifier: Apache-2.0
// WaitGroup and Latch: both are a Countdown.
#include <weft/wait_group.hpp>

#include "base/atomic.hpp"
#include "support/sleeper.hpp"

#include <weft/latch.hpp>
#include <weft/this_fiber.hpp>

#include <memory>
#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::spawn_suspended;

class WaitGroupTest : public test::WaitingInEveryContext {};
WEFT_UNDER_EVERY_CONTEXT(WaitGroupTest);

TEST_P(WaitGroupTest, WaitReturnsAtOnceWhenTheCounterIsZero) {
  run([] {
    WaitGroup group;
    group.wait_uncancellable();
    EXPECT_TRUE(group.wait_until(Deadline::after(-1s)));
    group.add(2);
    group.add(-1);
    EXPECT_EQ(group.count(), 1);
    group.done();
    group.wait_uncancellable();
    WaitGroup of_two(2);
    of_two.add(-2);
    of_two.wait_uncancellable();
  });
}

TEST_P(WaitGroupTest, WaitsForAllAndSeesWhatTheyDid) {
  constexpr int kFibers = 16;
  run([&] {
    WaitGroup group;
    std::vector<int> results(kFibers);
    for (int i = 0; i < kFibers; ++i) {
      group.add();
      context().spawn([&, i] {
        if (i % 2 == 0) yield();
        results[static_cast<std::size_t>(i)] = i + 1;
        group.done();
      });
    }
    group.wait_uncancellable();
    for (int i = 0; i < kFibers; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i + 1);
  });
}

TEST_P(WaitGroupTest, WakesAllThatWait) {
  run([&] {
    WaitGroup group(1);
    std::vector<JoinHandle<void>> waiters;
    for (int i = 0; i < 5; ++i)
      waiters.push_back(spawn_suspended(context(), [&] { group.wait_uncancellable(); }));
    std::thread thread([&] { group.wait_uncancellable(); });
    group.done();
    for (auto& waiter : waiters) waiter.join_uncancellable();
    thread.join();
  });
}

// Go's TestWaitGroup: two groups wait for each other, eight times over.
TEST_P(WaitGroupTest, MayBeUsedAgainAfterEachWait) {
  constexpr int kFibers = 16;
  run([&] {
    WaitGroup first, second;
    for (int round = 0; round < 8; ++round) {
      Atomic<int> exited{0};
      first.add(kFibers);
      second.add(kFibers);
      for (int i = 0; i < kFibers; ++i) {
        context().spawn([&] {
          first.done();
          second.wait_uncancellable();
          ++exited;
          first.done();
        });
      }
      first.wait_uncancellable();
      EXPECT_EQ(exited, 0);
      first.add(kFibers);
      for (int i = 0; i < kFibers; ++i) second.done();
      first.wait_uncancellable();
      EXPECT_EQ(exited, kFibers);
    }
  });
}

TEST_P(WaitGroupTest, AWaiterMayUseItAgainWhileAnotherIsNotBackYet) {
  run([&] {
    WaitGroup group(1);
    ConcurrentContext other("other");
    test::Flag blocked, unblock;
    auto late = spawn_suspended(other, [&] { group.wait_uncancellable(); });
    auto blocker = other.spawn([&] {  // the late one is woken, but cannot run
      blocked.set();
      EXPECT_TRUE(unblock.wait());
    });
    test::until([&] { return blocked.is_set(); });
    group.done();
    group.wait_uncancellable();
    group.add();
    group.done();
    group.add();
    unblock.set();
    late.join_uncancellable();  // although the counter is not zero now
    blocker.join_uncancellable();
    group.done();
  });
}

TEST_P(WaitGroupTest, AddWhileOthersWaitAboveZeroIsIncluded) {
  run([&] {
    WaitGroup group(1);
    auto waiter = spawn_suspended(context(), [&] { group.wait_uncancellable(); });
    group.add();
    group.done();
    yield();
    EXPECT_FALSE(waiter.done());
    group.done();
    waiter.join_uncancellable();
  });
}

TEST_P(WaitGroupTest, WaitUntilGivesUpAndTheOthersGoOnWaiting) {
  run([&] {
    WaitGroup group(1);
    EXPECT_EQ(group.wait_until(Deadline::after(1ms)).error(), Errc::timed_out);
    auto cancelled = spawn_suspended(context(), [&] { return group.wait_until(Deadline::never()); });
    auto other = spawn_suspended(context(), [&] { return group.wait_until(Deadline::never()); });
    auto stubborn = spawn_suspended(context(), [&] { group.wait_uncancellable(); });
    cancelled.cancel();
    stubborn.cancel();
    EXPECT_EQ(cancelled.join_uncancellable().error(), Errc::cancelled);
    EXPECT_FALSE(other.done());
    EXPECT_FALSE(stubborn.done());
    group.done();
    EXPECT_TRUE(other.join_uncancellable());
    stubborn.join_uncancellable();
  });
}

// sync.md, "zero, and the end of the object": the usual place of a group is the frame of who waits.
TEST_P(WaitGroupTest, MayBeDestroyedWhenWaitReturns) {
  for (int round = 0; round < 300; ++round) {
    context()
        .spawn([&] {
          auto group = std::make_unique<WaitGroup>(3);
          for (int i = 0; i < 3; ++i) context().spawn([raw = group.get()] { raw->done(); });
          group->wait_uncancellable();
          group.reset();
        })
        .join_uncancellable();
  }
}

TEST_P(WaitGroupTest, CountsAcrossContextsAndPlainThreads) {
  constexpr int kRounds = 500;
  WaitGroup group;
  ConcurrentContext other("other");
  group.add(3 * kRounds);
  const auto lower = [&] {
    for (int i = 0; i < kRounds; ++i) {
      group.add();
      group.done();
      group.done();
    }
  };
  auto a = context().spawn(lower);
  auto b = other.spawn(lower);
  std::thread c(lower);
  group.wait_uncancellable();
  EXPECT_EQ(group.count(), 0);
  a.join_uncancellable();
  b.join_uncancellable();
  c.join();
}

TEST_P(WaitGroupTest, DeadlinesThatMeetTheLastDoneAreHarmless) {
  run([&] {
    for (int round = 0; round < 200; ++round) {
      WaitGroup group(1);
      auto waiter = context().spawn([&] { return group.wait_until(Deadline::after_ns(round * 200)); });
      auto patient = context().spawn([&] { group.wait_uncancellable(); });
      if (round % 2 == 0) yield();
      group.done();
      patient.join_uncancellable();
      const Result<void> result = waiter.join_uncancellable();
      EXPECT_TRUE(result || result.error() == Errc::timed_out);
    }
  });
}

TEST_P(WaitGroupTest, ALatchOpensOnceForAll) {
  run([&] {
    Latch latch(3);
    EXPECT_FALSE(latch.try_wait());
    auto one = spawn_suspended(context(), [&] { latch.arrive_and_wait_uncancellable(); });
    auto two = spawn_suspended(context(), [&] { return latch.arrive_and_wait_until(Deadline::never()); });
    EXPECT_EQ(latch.wait_until(Deadline::after(1ms)).error(), Errc::timed_out);
    latch.count_down();
    one.join_uncancellable();
    EXPECT_TRUE(two.join_uncancellable());
    latch.wait_uncancellable();
    EXPECT_TRUE(latch.try_wait());
    EXPECT_TRUE(latch.wait_until(Deadline::after(-1s)));
  });
}

TEST(WaitGroupDeathTest, ANegativeCounterIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        WaitGroup group;
        group.add();
        group.done();
        group.done();
      },
      "BUG: the counter of a wait group or latch went below zero");
  EXPECT_DEATH(WaitGroup(1).add(-2), "BUG: the counter of a wait group or latch went below zero");
  EXPECT_DEATH(Latch(2).count_down(3), "BUG: the counter of a wait group or latch went below zero");
}

}  // namespace
}  // namespace weft
