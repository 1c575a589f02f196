// SPDX-License-Identifier: Apache-2.0
// How contexts end, and who may end them.
#include "support/contexts.hpp"

#include <weft/this_fiber.hpp>

#include <memory>
#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::Flag;

class ContextEndTest : public test::EveryContext {};
WEFT_UNDER_EVERY_CONTEXT(ContextEndTest);

TEST_P(ContextEndTest, DestructionCancelsSleepingFibersAndWaitsForThem) {
  Atomic<int> cancelled{0};
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 20; ++i) {
    handles.push_back(context().spawn([&] {
      if (sleep(1h).error() == make_error_code(Errc::cancelled)) cancelled.fetch_add(1, relaxed);
    }));
  }
  end();
  EXPECT_EQ(cancelled.load(relaxed), 20);
  for (auto& handle : handles) EXPECT_TRUE(handle.done());
}

TEST_P(ContextEndTest, DestructionWaitsForARunningFiber) {
  Flag started, go;
  bool ended = false;
  context().spawn([&] {
    started.set();
    while (!go.is_set()) yield();
    ended = true;
  });
  ASSERT_TRUE(started.wait());
  std::thread releaser([&] { go.set(); });
  end();
  releaser.join();
  EXPECT_TRUE(ended);
}

TEST_P(ContextEndTest, FibersThatNeverStartedRunCancelled) {
  Flag started, go;
  Atomic<int> ran{0}, cancelled{0};
  const std::uint32_t threads = context().parallelism();
  std::vector<JoinHandle<void>> blockers;
  Atomic<std::uint32_t> kept{0};
  for (std::uint32_t i = 0; i < threads; ++i) {
    blockers.push_back(context().spawn([&] {
      kept.fetch_add(1, seq_cst);
      EXPECT_TRUE(go.wait());
    }));
  }
  while (kept.load(seq_cst) < threads) std::this_thread::yield();
  for (int i = 0; i < 10; ++i) {
    context().spawn([&] {
      ran.fetch_add(1, relaxed);
      if (this_fiber::cancel_requested()) cancelled.fetch_add(1, relaxed);
    });
  }
  detail::Access::core(context()).close();
  go.set();
  end();
  EXPECT_EQ(ran.load(relaxed), 10);
  EXPECT_EQ(cancelled.load(relaxed), 10);
}

TEST_P(ContextEndTest, AFiberBornWhileItEndsIsCancelledAtBirth) {
  Flag closed;
  bool born_cancelled = false;
  auto parent = context().spawn([&] {
    while (!closed.is_set()) yield();
    born_cancelled = spawn([] { return this_fiber::cancel_requested(); }).join_uncancellable();
  });
  detail::Access::core(context()).close();
  closed.set();
  parent.join_uncancellable();
  EXPECT_TRUE(born_cancelled);
}

TEST_P(ContextEndTest, AFiberOfAnotherContextMayDestroyIt) {
  ConcurrentContext other("other");
  Flag started;
  bool cancelled = false;
  context().spawn([&] {
    started.set();
    cancelled = sleep(1h).error() == make_error_code(Errc::cancelled);
  });
  ASSERT_TRUE(started.wait());
  bool others_ran = false;
  auto destroyer = other.spawn([&] { end(); });
  other.spawn([&] { others_ran = true; }).join_uncancellable();
  destroyer.join_uncancellable();
  EXPECT_TRUE(cancelled);
  EXPECT_TRUE(others_ran);
}

TEST_P(ContextEndTest, ClosingLeavesTheFibersOfOtherContextsAlone) {
  ConcurrentContext other("other");
  Flag go;
  auto bystander = other.spawn([&] {
    while (!go.is_set()) yield();
    return this_fiber::cancel_requested();
  });
  end();
  go.set();
  EXPECT_FALSE(bystander.join_uncancellable());
}

TEST_P(ContextEndTest, HandlesMayOutliveTheContext) {
  auto handle = context().spawn([] { return std::make_unique<int>(3); });
  end();
  EXPECT_TRUE(handle.done());
  handle.cancel();
  EXPECT_EQ(*handle.join_uncancellable(), 3);
}

TEST_P(ContextEndTest, WakeUpsFromOutsideMayRaceWithTheEnd) {
  if (GetParam().parallelism == 4) GTEST_SKIP() << "threads enough with two";
  for (int round = 0; round < 100; ++round) {
    auto short_lived = std::make_unique<ParallelContext>("short", ParallelOptions{.parallelism = 2});
    Atomic<bool> asked{false};
    auto sleeper = short_lived->spawn([&] {
      asked.store(true, release);
      return sleep(1h).error() == make_error_code(Errc::cancelled);
    });
    auto canceller = context().spawn([&, handle = std::move(sleeper)]() mutable {
      while (!asked.load(acquire)) yield();
      handle.cancel();
      return handle.join_uncancellable();
    });
    EXPECT_TRUE(canceller.join_uncancellable());
    short_lived.reset();
  }
}

// It could be seen, and cancelled, by a context that had used its stack before.
TEST(FiberHomeTest, ANewFiberDoesNotRememberTheHomeOfTheOneBefore) {
  ConcurrentContext context("before");
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < 200; ++i) handles.push_back(context.spawn([] {}));
  for (auto& handle : handles) handle.join_uncancellable();
  for (int i = 0; i < 200; ++i) {
    Fiber* const fiber = Fiber::create(StackPool::process(), nullptr, {});
    ASSERT_NE(fiber, nullptr);
    EXPECT_EQ(fiber->home, nullptr);
    fiber->release(StackPool::process(), nullptr);
    fiber->release(StackPool::process(), nullptr);
  }
}

TEST(ContextEndDeathTest, AContextDestroyedByItsOwnFiberIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto context = std::make_unique<ConcurrentContext>("suicidal");
        ConcurrentContext& alias = *context;
        alias.spawn([&] { context.reset(); });
        std::promise<void>().get_future().wait();
      },
      "BUG: an execution context is destroyed by one of its own fibers");
}

TEST(ContextCreationTest, ManyContextsComeAndGoWithoutALeak) {
  { ConcurrentContext warm("warm"); }
  const std::size_t files = test::open_files();
  for (int round = 0; round < 100; ++round) {
    ParallelContext parallel("p", {.parallelism = 2});
    ConcurrentContext concurrent("c");
    auto handle = parallel.spawn([&] { return concurrent.spawn([] { return 1; }).join_uncancellable(); });
    EXPECT_EQ(handle.join_uncancellable(), 1);
  }
  EXPECT_EQ(test::open_files(), files);
}

}  // namespace
}  // namespace weft
