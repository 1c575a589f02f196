// SPDX-License-Identifier: Apache-2.0
// Counts at and beyond their ends. A wait group or latch that began below zero was waited for until the end
// of time, and a count that overflowed was undefined.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cstdint>
#include <limits>
#include <mutex>
#include <new>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;
using weft::Errc;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

TEST(OddCountsDeathTest, BelowZeroIsABugOfTheCallersLine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const char* const here = "BUG: a wait group or latch begins below zero .*at .*odd_values_test.cpp:.*";
  EXPECT_DEATH(weft::WaitGroup(-5), here);
  EXPECT_DEATH(weft::WaitGroup{kLeast}, here);
  EXPECT_DEATH(weft::Latch(-1), here);
  EXPECT_DEATH(weft::WaitGroup(1).add(-2), "BUG: the counter of a wait group or latch went below zero");
  EXPECT_DEATH(weft::WaitGroup(0).done(), "BUG: the counter of a wait group or latch went below zero");
  EXPECT_DEATH(weft::WaitGroup(0).add(kLeast), "BUG: the counter of a wait group or latch went below zero");
  EXPECT_DEATH(weft::WaitGroup(5).add(kLeast), "BUG: the counter of a wait group or latch went below zero");
  EXPECT_DEATH(weft::Latch(1).count_down(2), "BUG: the counter of a wait group or latch went below zero");
  EXPECT_DEATH(weft::Latch(1).count_down(-1), "BUG: a latch goes down only .*at .*odd_values_test.cpp:");
  EXPECT_DEATH(weft::Latch(1).count_down(kLeast), "BUG: a latch goes down only");
  EXPECT_DEATH((void)weft::Latch(1).arrive_and_wait(-1),
               "BUG: a latch goes down only .*at .*odd_values_test");
}

TEST(OddCountsDeathTest, AnOverflowIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  weft::WaitGroup group(kMost);
  EXPECT_DEATH(group.add(), "BUG: the counter of a wait group went above its greatest number");
  EXPECT_DEATH(group.add(kMost), "BUG: the counter of a wait group went above its greatest number");
}

TEST(OddCounts, ZeroAndTheGreatestAreCounts) {
  stranger::in_fiber([] {
    weft::WaitGroup group;
    EXPECT_TRUE(group.wait());
    group.add(0);
    EXPECT_TRUE(group.wait());
    group.add(kMost);
    EXPECT_EQ(group.count(), kMost);
    group.add(-kMost);
    EXPECT_EQ(group.count(), 0);
    EXPECT_TRUE(group.wait());
    weft::Latch open(0);
    EXPECT_TRUE(open.try_wait());
    EXPECT_TRUE(open.wait());
    open.count_down(0);
    EXPECT_TRUE(open.arrive_and_wait(0));
    weft::Latch far(kMost);
    far.count_down(kMost);
    EXPECT_TRUE(far.wait());
  });
}

TEST(OddPermits, ZeroAndTheGreatestArePermits) {
  stranger::in_fiber([] {
    weft::Semaphore full(weft::Semaphore::max());
    EXPECT_EQ(full.available(), weft::Semaphore::max());
    EXPECT_TRUE(full.acquire());
    full.release();
    full.release(0);
    EXPECT_EQ(full.available(), weft::Semaphore::max());
    weft::Semaphore none(0);
    auto waiter = weft::spawn([&] { return none.acquire(); });
    weft::yield();
    none.release(0);  // wakes nobody
    weft::yield();
    EXPECT_FALSE(waiter.done());
    none.release();
    EXPECT_TRUE(waiter.join());
    EXPECT_EQ(none.available(), 0u);
  });
}

TEST(OddPermitsDeathTest, TooManyAreABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(weft::Semaphore{SIZE_MAX}, "BUG: too many permits of a semaphore .*at .*odd_values_test.cpp:");
  EXPECT_DEATH(weft::Semaphore{weft::Semaphore::max() + 1}, "BUG: too many permits of a semaphore");
  weft::Semaphore full(weft::Semaphore::max());
  EXPECT_DEATH(full.release(), "BUG: too many permits of a semaphore");
  EXPECT_DEATH(full.release(SIZE_MAX), "BUG: too many permits of a semaphore");
}

TEST(OddCapacities, WhatIsTooLargeIsAnError) {
  EXPECT_THROW(weft::Channel<int>(SIZE_MAX), std::length_error);
  EXPECT_THROW(weft::Channel<int>((std::size_t{1} << 31) + 1), std::length_error);
  EXPECT_THROW(weft::Channel<int>(static_cast<std::size_t>(-1)), std::length_error);
  weft::Channel<int> one(1);
  EXPECT_EQ(one.capacity(), 1u);
  EXPECT_TRUE(one.try_send(1));
  EXPECT_EQ(one.try_send(2).error(), Errc::would_block);
  EXPECT_EQ(one.size(), 1u);
  EXPECT_EQ(one.try_receive().value(), 1);
  EXPECT_EQ(one.try_receive().error(), Errc::would_block);
}

TEST(OddLocksDeathTest, AConditionVariableNeedsItsMutex) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  weft::Mutex mutex;
  weft::ConditionVariable changed;
  std::unique_lock lock(mutex, std::defer_lock);
  std::unique_lock<weft::Mutex> of_nothing;
  EXPECT_DEATH((void)changed.wait(lock), "BUG: a condition variable is waited for without its mutex");
  EXPECT_DEATH((void)changed.wait(of_nothing), "BUG: a condition variable is waited for without its mutex");
  EXPECT_DEATH(mutex.unlock(), "BUG");
  weft::SharedMutex shared;
  EXPECT_DEATH(shared.unlock(), "BUG");
  EXPECT_DEATH(shared.unlock_shared(), "BUG");
}

TEST(OddScopedValues, WithoutABindingThereIsNone) {
  const weft::ScopedValue<int> number;
  EXPECT_EQ(number.get(), nullptr);
  EXPECT_EQ(number.get_or(5), 5);
  {
    weft::ScopedBinding outer(number, 1);
    weft::ScopedBinding inner(number, 2);
    EXPECT_EQ(number.get_or(5), 2);
    stranger::in_fiber([&] { EXPECT_EQ(number.get(), nullptr) << "of another fiber"; });
  }
  EXPECT_EQ(number.get(), nullptr);
}

}  // namespace
