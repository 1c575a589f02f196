// SPDX-License-Identifier: Apache-2.0
// S7: schedulers come and go, and no fiber is lost.
#include "base/sanitizers.hpp"
#include "execution_context/scheduler/parallelism.hpp"
#include "support/contexts.hpp"

#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <fstream>
#include <pthread.h>
#include <random>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

using test::Flag;

std::uint32_t threads_of(ExecutionContext& context) {
  std::uint32_t count = 0;
  detail::Access::core(context).for_each_scheduler(
      [&](Scheduler& scheduler) { count += scheduler.thread_id() != 0 ? 1 : 0; });
  return count;
}

TEST(ResizeTest, S7_UpAndDownAtRandomUnderLoadLosesNothing) {
  constexpr int kFibers = 60;
  constexpr int kSteps = 200;
  ParallelContext context("elastic", {.parallelism = 2});
  Atomic<int> steps{0};
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < kFibers; ++i) {
    handles.push_back(context.spawn([&] {
      for (int step = 0; step < kSteps; ++step) {
        steps.fetch_add(1, relaxed);
        if (step % 10 == 0) spawn([&] { steps.fetch_add(1, relaxed); }).join_uncancellable();
        yield();
      }
    }));
  }
  std::minstd_rand random(7);
  for (int i = 0; i < 200; ++i) context.resize(1 + static_cast<std::uint32_t>(random() % 5));
  for (auto& handle : handles) handle.join_uncancellable();
  EXPECT_EQ(steps.load(relaxed), kFibers * (kSteps + kSteps / 10));
  test::expect_no_fiber_lost(context);
}

TEST(ResizeTest, RetiredThreadsLeaveAndNewOnesTakeTheirPlaces) {
  ParallelContext context("elastic", {.parallelism = 4});
  context.resize(1);
  EXPECT_EQ(context.parallelism(), 1u);
  context
      .spawn([&] {
        while (threads_of(context) > 1) yield();
      })
      .join_uncancellable();
  context.resize(3);
  context
      .spawn([&] {
        while (threads_of(context) < 3) yield();
      })
      .join_uncancellable();
  EXPECT_EQ(context.parallelism(), 3u);
}

TEST(ResizeTest, S7_AThreadThatLeavesHandsItsFibersOn) {
  constexpr int kFibers = 20;
  ParallelContext context("elastic", {.parallelism = 2});
  // Both threads are kept, one of them with a full local queue; then either may go.
  Flag go;
  Atomic<int> ran{0}, kept{0};
  std::vector<JoinHandle<void>> keepers;
  for (int i = 0; i < 2; ++i) {
    keepers.push_back(context.spawn([&] {
      for (int child = 0; child < kFibers; ++child) spawn([&] { ran.fetch_add(1, relaxed); });
      kept.fetch_add(1, seq_cst);
      EXPECT_TRUE(go.wait());
    }));
  }
  while (kept.load(seq_cst) < 2) std::this_thread::yield();
  context.resize(1);
  go.set();
  for (auto& keeper : keepers) keeper.join_uncancellable();
  test::expect_no_fiber_lost(context);
  EXPECT_EQ(ran.load(relaxed), 2 * kFibers);
}

TEST(ResizeTest, AFiberMayResizeItsOwnContext) {
  ParallelContext context("elastic", {.parallelism = 1});
  context
      .spawn([&] {
        for (std::uint32_t size : {3u, 1u, 2u, 1u, 4u}) {
          context.resize(size);
          for (int i = 0; i < 100; ++i) yield();
        }
      })
      .join_uncancellable();
  EXPECT_EQ(context.parallelism(), 4u);
}

TEST(ParallelismTest, WhatIsOutOfRangeIsAnErrorWhereverItIsGiven) {
  EXPECT_THROW(ParallelContext("large", {.parallelism = 1000}), std::system_error);
  EXPECT_THROW(run({.parallelism = 1000}, [] {}), std::system_error);
  ParallelContext context("small", {.parallelism = 1});
  EXPECT_THROW(context.resize(257), std::system_error);
  EXPECT_EQ(context.parallelism(), 1u);
}

TEST(ParallelismTest, ZeroIsTheNumberOfCpusButNeverMoreThanAContextHas) {
  EXPECT_EQ(default_parallelism(1), 1u);
  EXPECT_EQ(default_parallelism(8), 8u);
  EXPECT_EQ(default_parallelism(384), Context::kParallelismMax);
  ParallelContext context("all");
  EXPECT_EQ(context.parallelism(), default_parallelism(sys::usable_cpu_count()));
}

#if !WEFT_ASAN && !WEFT_TSAN
/// Of the threads that are started meanwhile two find room for their stacks.
class RoomForTwoThreads {
 public:
  RoomForTwoThreads() {
    EXPECT_EQ(pthread_getattr_default_np(&attributes_), 0);
    EXPECT_EQ(pthread_attr_getstacksize(&attributes_, &usual_stack_), 0);
    EXPECT_EQ(getrlimit(RLIMIT_AS, &usual_), 0);
    rlimit limit = usual_;
    limit.rlim_cur = address_space() + 2 * kStack + kStack * 3 / 4;  // theirs, and what else they need
    EXPECT_EQ(setrlimit(RLIMIT_AS, &limit), 0);
    set(kStack);
  }
  ~RoomForTwoThreads() {
    set(usual_stack_);
    EXPECT_EQ(setrlimit(RLIMIT_AS, &usual_), 0);
  }
  RoomForTwoThreads(const RoomForTwoThreads&) = delete;
  RoomForTwoThreads& operator=(const RoomForTwoThreads&) = delete;

 private:
  static constexpr std::size_t kStack = std::size_t{512} << 20;

  static std::size_t address_space() {
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  }
  void set(std::size_t stack_size) {
    EXPECT_EQ(pthread_attr_setstacksize(&attributes_, stack_size), 0);
    EXPECT_EQ(pthread_setattr_default_np(&attributes_), 0);
  }
  pthread_attr_t attributes_;
  std::size_t usual_stack_ = 0;
  rlimit usual_ = {};
};

// It stayed as large as it had become when the error came.
TEST(ResizeTest, ThatRunsOutOfThreadsLeavesTheContextAsItWas) {
  ParallelContext context("elastic", {.parallelism = 1});
  {
    const RoomForTwoThreads room;
    EXPECT_THROW(context.resize(6), std::system_error);
  }
  EXPECT_EQ(context.parallelism(), 1u);
  context
      .spawn([&] {
        while (threads_of(context) > 1) yield();
      })
      .join_uncancellable();
  context.resize(6);
  EXPECT_EQ(context.parallelism(), 6u);
  EXPECT_EQ(context.spawn([] { return 1; }).join_uncancellable(), 1);
}

TEST(ResizeTest, ThatRunsOutOfThreadsLeavesAContextWithPinnedFibersAsItWas) {
  ParallelContext context("pinned", {.parallelism = 1, .strategy = EventLoopStrategy::lifetime_thread()});
  const std::size_t files = test::open_files();
  {
    const RoomForTwoThreads room;
    EXPECT_THROW(context.resize(6), std::system_error);
  }
  EXPECT_EQ(context.parallelism(), 1u);
  EXPECT_EQ(test::open_files(), files);
  context.resize(2);
  EXPECT_EQ(context.parallelism(), 2u);
  std::vector<JoinHandle<int>> handles;
  for (int i = 0; i < 4; ++i) handles.push_back(context.spawn([i] { return i; }));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(handles[static_cast<std::size_t>(i)].join_uncancellable(), i);
}

TEST(ParallelismTest, AConstructorThatRunsOutOfThreadsLeavesNothingBehind) {
  ConcurrentContext warm("warm");  // the process-wide parts are there
  const std::size_t files = test::open_files();
  {
    const RoomForTwoThreads room;
    EXPECT_THROW(ParallelContext("too many", {.parallelism = 4}), std::system_error);
  }
  EXPECT_EQ(test::open_files(), files);
  ParallelContext context("as usual", {.parallelism = 4});
  EXPECT_EQ(context.spawn([] { return 1; }).join_uncancellable(), 1);
}
#endif

}  // namespace
}  // namespace weft
