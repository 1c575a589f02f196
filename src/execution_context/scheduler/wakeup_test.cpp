// SPDX-License-Identifier: Apache-2.0
// S2 no lost wake-up, S5 bursts spread. A lost wake-up hangs: ctest's timeout is the failure.
#include "base/clock.hpp"
#include "fiber/baton.hpp"
#include "support/contexts.hpp"

#include <weft/this_fiber.hpp>

#include <latch>
#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

class WakeUpTest : public test::EveryContext {};
WEFT_UNDER_EVERY_CONTEXT(WakeUpTest);

TEST_P(WakeUpTest, S2_NoneIsLostWhenWorkComesWhileTheThreadsGoToSleep) {
  for (int i = 0; i < 2000; ++i) context().spawn([] {}).join_uncancellable();
}

TEST_P(WakeUpTest, S2_NoneIsLostBetweenTwoContexts) {
  constexpr int kTurns = 3000;
  ConcurrentContext other("other");
  Baton here, there;
  auto ping = context().spawn([&] {
    for (int i = 0; i < kTurns; ++i) {
      there.give();
      here.take();
    }
  });
  auto pong = other.spawn([&] {
    for (int i = 0; i < kTurns; ++i) {
      there.take();
      here.give();
    }
  });
  ping.join_uncancellable();
  pong.join_uncancellable();
}

TEST_P(WakeUpTest, S2_NoneIsLostWhenSeveralThreadsSubmit) {
  constexpr int kThreads = 3;
  constexpr int kEach = 500;
  Atomic<int> ran{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        auto handle = context().spawn([&] { ran.fetch_add(1, relaxed); });
        if (i % 3 == 0) handle.join_uncancellable();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  test::expect_no_fiber_lost(context());
  EXPECT_EQ(ran.load(relaxed), kThreads * kEach);
}

// Its own thread keeps the parent, so those that arrive beside it run on all the others.
TEST(BurstTest, S5_ALocalSpawnBurstSpreadsOverIdleSchedulers) {
  constexpr std::uint32_t kThreads = 4;
  for (int round = 0; round < 50; ++round) {
    ParallelContext context("burst", {.parallelism = kThreads});
    std::latch together(kThreads);
    Atomic<std::uint32_t> arrived{0};
    context
        .spawn([&] {
          // One more than there are siblings: the last one stays in the run-next slot.
          for (std::uint32_t i = 0; i < kThreads; ++i) {
            spawn([&] {
              if (arrived.fetch_add(1, relaxed) < kThreads - 1) together.arrive_and_wait();
            });
          }
          together.arrive_and_wait();
        })
        .join_uncancellable();
    test::expect_no_fiber_lost(context);
    EXPECT_GE(context.counters().stolen_fibers, kThreads - 1);
  }
}

// What a poll brings is through before a sibling would have come (batch_worth.hpp).
TEST(BurstTest, AFewShortFibersOfAPollWakeNoSibling) {
  constexpr std::int64_t kRoundNs = 500'000;
  constexpr int kRounds = 200;
  ParallelContext context("burst", {.parallelism = 2});
  const std::int64_t start_ns = now_ns();
  std::vector<JoinHandle<void>> fibers;
  for (int i = 0; i < 3; ++i) {
    fibers.push_back(context.spawn([&] {
      for (int round = 1; round <= kRounds; ++round)
        EXPECT_TRUE(sleep_until(Deadline::at_ns(start_ns + round * kRoundNs)));
    }));
  }
  for (auto& fiber : fibers) fiber.join_uncancellable();
  // Each time, if two were always worth it. A few times, as long as nothing is known, or a host was slow.
  EXPECT_LT(context.counters().unparks, kRounds / 2);
}

/// Long enough for whoever waits meanwhile to have slept, however fast the machine wakes a thread.
void compute() {
  const std::int64_t end_ns = now_ns() + 20'000;
  while (now_ns() < end_ns) cpu_relax();
}

/// Asks `other` from `one` until `enough`, or for a minute. True: it was enough.
template <class Enough>
bool ask_until(ExecutionContext& one, ExecutionContext& other, Enough&& enough) {
  const std::int64_t end_ns = now_ns() + 60'000'000'000;
  return one
      .spawn([&] {
        while (!enough() && now_ns() < end_ns) {
          compute();
          other.spawn(compute).join_uncancellable();
        }
        return enough();
      })
      .join_uncancellable();
}

// Whether it pays is the machine's affair; that it is tried is not (spin_policy.hpp).
TEST(SpinTest, ContextsThatAnswerEachOtherTryToSpinInTheirLoops) {
  ConcurrentContext one("one"), other("other");
  EXPECT_TRUE(ask_until(one, other, [&] {
    return one.event_loop_counters().spins != 0 && other.event_loop_counters().spins != 0;
  }));
}

TEST(SpinTest, ContextsThatAnswerEachOtherTryToSpinBesideTheirLoops) {
  ParallelContext one("one", {.parallelism = 2}), other("other", {.parallelism = 2});
  EXPECT_TRUE(
      ask_until(one, other, [&] { return one.counters().spins != 0 && other.counters().spins != 0; }));
}

}  // namespace
}  // namespace weft
