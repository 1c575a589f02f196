// SPDX-License-Identifier: Apache-2.0
// When stacks go back to the kernel: seen when the monitor has nothing left to do.
#include "base/sanitizers.hpp"
#include "execution_context/diagnostics/monitor.hpp"
#include "fiber/stack_pool.hpp"
#include "support/contexts.hpp"
#include "sys/fault.hpp"
#include "sys/mapping.hpp"

#include <weft/execution_context.hpp>
#include <weft/this_fiber.hpp>

#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

bool wait_until_the_monitor_rests() {
  const auto end = std::chrono::steady_clock::now() + test::kPatience;
  while (!Monitor::parked()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Fibers of `context` that touch a page deep in their stacks; gives where.
std::vector<std::byte*> use_stacks(ExecutionContext& context, int count) {
  std::mutex lock;
  std::vector<std::byte*> places;
  std::vector<JoinHandle<void>> fibers;
  for (int i = 0; i < count; ++i) {
    fibers.push_back(context.spawn([&] {
      std::byte* const low = this_fiber_or_null()->stack_low();
      *static_cast<volatile std::byte*>(low) = std::byte{1};
      const std::scoped_lock locked(lock);
      places.push_back(low);
    }));
  }
  for (auto& fiber : fibers) fiber.join_uncancellable();
  return places;
}

std::size_t resident(const std::vector<std::byte*>& pages) {
  std::size_t count = 0;
  for (std::byte* page : pages) {
    unsigned char state = 0;
    EXPECT_EQ(::mincore(page, sys::page_size(), &state), 0);
    count += state & 1u;
  }
  return count;
}

TEST(MemoryTrim, WhenAllIsIdleNoFreeStackKeepsItsPagesNorDoThreads) {
  ParallelContext context("idle", {.parallelism = 4});
  for (int round = 0; round < 2; ++round) {
    const std::vector<std::byte*> places = use_stacks(context, 500);
    ASSERT_TRUE(wait_until_the_monitor_rests());
    EXPECT_EQ(resident(places), 0u) << round;
  }
}

TEST(MemoryTrim, AThreadOfOneContextIsAskedToo) {
  ConcurrentContext context("alone");
  const std::vector<std::byte*> places = use_stacks(context, 5);  // all in the thread's cache
  ASSERT_TRUE(wait_until_the_monitor_rests());
  EXPECT_EQ(resident(places), 0u);
}

TEST(MemoryTrim, WithNothingToGiveBackNobodyIsWoken) {
  ParallelContext context("calm", {.parallelism = 2});
  use_stacks(context, 10);
  ASSERT_TRUE(wait_until_the_monitor_rests());
  const std::uint64_t polls = context.event_loop_counters().polls;
  const std::uint64_t unparks = context.counters().unparks;
  sys::CallCounter calls;
  Monitor::unpark();
  // It looks ten times that nothing runs.
  ASSERT_TRUE(wait_until_the_monitor_rests());
  EXPECT_EQ(context.event_loop_counters().polls, polls);
  EXPECT_EQ(context.counters().unparks, unparks);
  EXPECT_EQ(calls.counts()[sys::Call::madvise], 0u);
}

TEST(MemoryTrim, StacksOfFibersThatWaitAreLeftAlone) {
  ConcurrentContext context("waiting");
  auto waits = context.spawn([&] {
    volatile std::byte kept[1000];
    for (std::size_t i = 0; i < sizeof kept; ++i) kept[i] = static_cast<std::byte>(i % 251);
    EXPECT_FALSE(sleep(std::chrono::hours(1)));
    int wrong = 0;
    for (std::size_t i = 0; i < sizeof kept; ++i) wrong += kept[i] != static_cast<std::byte>(i % 251);
    return wrong;
  });
  use_stacks(context, 100);
  ASSERT_TRUE(wait_until_the_monitor_rests());
  waits.cancel();
  EXPECT_EQ(waits.join_uncancellable(), 0);
}

}  // namespace
}  // namespace weft
