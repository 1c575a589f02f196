// SPDX-License-Identifier: Apache-2.0
#include "sys/futex.hpp"

#include "base/clock.hpp"
#include "sys/fault.hpp"

#include <cerrno>
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

TEST(Futex, AWordThatHasChangedDoesNotBlock) {
  Atomic<std::uint32_t> word{1};
  EXPECT_TRUE(futex_wait(word, 0));
}

TEST(Futex, WaitsForTheDeadlineAndNoLess) {
  Atomic<std::uint32_t> word{0};
  const Deadline deadline = Deadline::at_ns(monotonic_ns() + 2'000'000);
  while (futex_wait(word, 0, deadline)) {}
  EXPECT_GE(monotonic_ns(), deadline.time_ns());
}

TEST(Futex, ADeadlineInThePastTimesOutAtOnce) {
  Atomic<std::uint32_t> word{0};
  EXPECT_FALSE(futex_wait(word, 0, Deadline::at_ns(0)));
  EXPECT_FALSE(futex_wait(word, 0, Deadline::at_ns(std::numeric_limits<std::int64_t>::min())));
}

TEST(Futex, WakingNobodyWakesNobody) {
  Atomic<std::uint32_t> word{0};
  EXPECT_EQ(futex_wake(word, 1), 0);
}

TEST(Futex, AWakeReleasesEveryWaiter) {
  constexpr int kThreads = 4;
  Atomic<std::uint32_t> word{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&word] {
      while (word.load(acquire) == 0) EXPECT_TRUE(futex_wait(word, 0));
    });
  }
  word.store(1, release);
  EXPECT_LE(futex_wake(word, std::numeric_limits<int>::max()), kThreads);
  for (std::thread& thread : threads) thread.join();
}

TEST(Futex, AWakeReleasesNoMoreWaitersThanAsked) {
  Atomic<std::uint32_t> word{0};
  std::thread waiter([&word] {
    while (word.load(acquire) == 0) EXPECT_TRUE(futex_wait(word, 0));
  });
  while (futex_wake(word, 1) == 0) std::this_thread::yield();  // it waits, is woken, and waits again
  word.store(1, release);
  futex_wake(word, 1);
  waiter.join();
}

TEST(Futex, AnInterruptionIsASpuriousWake) {
  Atomic<std::uint32_t> word{0};
  FaultPlan faults;
  faults.fail(Call::futex_wait, EINTR);
  EXPECT_TRUE(futex_wait(word, 0));
}

TEST(FutexDeathTest, AFailureThatCannotBeIsABug) {
  Atomic<std::uint32_t> word{0};
  EXPECT_DEATH(
      {
        FaultPlan faults;
        faults.fail(Call::futex_wait, EFAULT);
        futex_wait(word, 0);
      },
      "BUG: futex wait failed");
}

}  // namespace
}  // namespace weft::sys
