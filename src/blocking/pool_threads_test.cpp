// SPDX-License-Identifier: Apache-2.0
#include <weft/blocking.hpp>

#include "support/held_call.hpp"
#include "support/sleeper.hpp"
#include "sys/fault.hpp"

#include <weft/dump.hpp>
#include <weft/this_fiber.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <memory>
#include <pthread.h>
#include <string>
#include <system_error>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using Gate = test::CallGate;
using test::HeldCall;
using testing::HasSubstr;

class BlockingThreadsTest : public test::BlockingPoolTestBase {};
INSTANTIATE_TEST_SUITE_P(Contexts, BlockingThreadsTest, test::all_placements(), test::kind_name);

TEST_P(BlockingThreadsTest, CallsStartInTheOrderOfTheirCallsOnOneThread) {
  if (simulated()) GTEST_SKIP() << "one call at a time";
  BlockingPool pool("fifo", {.threads_max = 1});
  HeldCall held(pool, context);
  std::vector<int> order;
  std::vector<JoinHandle<void>> fibers;
  for (int i = 0; i < 20; ++i) {
    fibers.push_back(context.spawn([&, i] { pool.run([&, i] { order.push_back(i); }).value(); }));
    test::until([&] { return pool.counters().waiting_calls == static_cast<std::size_t>(i) + 1; });
  }
  held.leave.open();
  for (auto& fiber : fibers) fiber.join_uncancellable();
  EXPECT_EQ(held.handle.join_uncancellable().value(), 1);
  std::vector<int> expected(20);
  for (int i = 0; i < 20; ++i) expected[static_cast<std::size_t>(i)] = i;
  EXPECT_EQ(order, expected);
  EXPECT_EQ(pool.counters().started_threads, 1u);
  EXPECT_EQ(pool.counters().started_calls, 21u);
}

TEST_P(BlockingThreadsTest, ACallThatHasNotStartedIsCancelledAndIsNeverMade) {
  if (simulated()) GTEST_SKIP() << "calls start at once";
  BlockingPool pool("cancel", {.threads_max = 1});
  HeldCall held(pool, context);
  bool called = false;
  auto waiting = test::spawn_suspended(context, [&] { return pool.run([&] { called = true; }); });
  EXPECT_EQ(pool.counters().waiting_calls, 1u);
  waiting.cancel();
  EXPECT_EQ(waiting.join_uncancellable().error(), Errc::cancelled);
  EXPECT_EQ(pool.counters().waiting_calls, 0u);
  held.leave.open();
  EXPECT_TRUE(held.handle.join_uncancellable());
  EXPECT_FALSE(called);
}

TEST_P(BlockingThreadsTest, ACallThatHasStartedIsWaitedForAlthoughItsFiberIsCancelled) {
  if (simulated()) GTEST_SKIP() << "nobody could cancel meanwhile";
  BlockingPool pool("cancel");
  HeldCall held(pool, context);
  held.handle.cancel();
  EXPECT_FALSE(held.handle.done());
  held.leave.open();
  EXPECT_EQ(held.handle.join_uncancellable().value(), 1);
}

TEST_P(BlockingThreadsTest, ADeadlineHoldsForTheStart) {
  run([&] {
    BlockingPool pool("late", {.threads_max = 1});
    bool called = false;
    EXPECT_EQ(pool.run_until(Deadline::at_ns(0), [&] { called = true; }).error(), Errc::timed_out);
    EXPECT_FALSE(called);
    EXPECT_TRUE(pool.run_until(1h, [&] { called = true; }));
    EXPECT_TRUE(called);
  });
  if (simulated()) return;
  BlockingPool pool("late", {.threads_max = 1});
  HeldCall held(pool, context);
  bool called = false;
  const Result<void> late =
      context.spawn([&] { return pool.run_until(1ms, [&] { called = true; }); }).join_uncancellable();
  EXPECT_EQ(late.error(), Errc::timed_out);
  held.leave.open();
  EXPECT_TRUE(held.handle.join_uncancellable());
  EXPECT_FALSE(called);
}

TEST_P(BlockingThreadsTest, ATryCallsOnlyIfAThreadIsFree) {
  if (simulated()) GTEST_SKIP() << "it always is";
  BlockingPool pool("try", {.threads_max = 2});
  const auto try_in_fiber = [&] {
    return context.spawn([&] { return pool.try_run([] { return 7; }); }).join_uncancellable();
  };
  EXPECT_EQ(try_in_fiber().value(), 7);
  HeldCall first(pool, context);
  EXPECT_EQ(try_in_fiber().value(), 7);
  HeldCall second(pool, context);
  EXPECT_EQ(try_in_fiber().error(), Errc::would_block);
  EXPECT_EQ(pool.try_run([] { return 7; }).error(), Errc::would_block);  // of a plain thread
  first.leave.open();
  EXPECT_TRUE(first.handle.join_uncancellable());
  EXPECT_EQ(try_in_fiber().value(), 7);
  second.leave.open();
  EXPECT_TRUE(second.handle.join_uncancellable());
}

TEST_P(BlockingThreadsTest, AFailedStartOfAThreadIsTheErrorOfTheCall) {
  run([] {
    BlockingPool pool("broken");
    bool called = false;
    {
      sys::FaultPlan faults;
      faults.fail(sys::Call::thread, EAGAIN, {.times = sys::FaultRange::kAlways});
      const Result<void> failed = pool.run([&] { called = true; });
      EXPECT_EQ(failed.error(), std::errc::resource_unavailable_try_again);
      EXPECT_EQ(failed.message(),
                "starting a thread of blocking pool broken: Resource temporarily unavailable");
    }
    EXPECT_FALSE(called);
    EXPECT_EQ(pool.counters().threads, 0u);
    EXPECT_TRUE(pool.run([&] { called = true; }));
    EXPECT_TRUE(called);
  });
}

TEST_P(BlockingThreadsTest, SignalsAreBlockedInAThreadOfThePool) {
  run([] {
    BlockingPool pool("masked");
    sigset_t mask;
    pool.run([&] { ::pthread_sigmask(SIG_BLOCK, nullptr, &mask); }).value();
    EXPECT_EQ(::sigismember(&mask, SIGINT), 1);
    EXPECT_EQ(::sigismember(&mask, SIGTERM), 1);
    EXPECT_EQ(::sigismember(&mask, SIGCHLD), 1);
    EXPECT_EQ(::sigismember(&mask, SIGSEGV), 0);
  });
}

TEST_P(BlockingThreadsTest, ThreadsHaveThePoolsName) {
  run([] {
    BlockingPool pool("a-very-long-name-indeed");
    char name[16] = {};
    pool.run([&] { ::pthread_getname_np(::pthread_self(), name, sizeof(name)); }).value();
    EXPECT_STREQ(name, "a-very-long-n-0");
  });
}

TEST_P(BlockingThreadsTest, ThereAreNeverMoreThreadsThanAllowed) {
  if (simulated()) GTEST_SKIP() << "one call at a time";
  BlockingPool pool("bounded", {.threads_max = 3});
  Atomic<int> inside{0}, most{0};
  Gate leave;
  std::vector<JoinHandle<void>> fibers;
  for (int i = 0; i < 10; ++i) {
    fibers.push_back(context.spawn([&] {
      pool.run([&] {
            const int now = inside.fetch_add(1, relaxed) + 1;
            for (int before = most.load(relaxed);
                 before < now && !most.compare_exchange_weak(before, now, relaxed, relaxed);) {}
            leave.wait();
            inside.fetch_sub(1, relaxed);
          })
          .value();
    }));
  }
  test::until([&] { return inside.load(relaxed) == 3 && pool.counters().waiting_calls == 7; });
  EXPECT_EQ(pool.counters().threads, 3u);
  leave.open();
  for (auto& fiber : fibers) fiber.join_uncancellable();
  EXPECT_EQ(most.load(relaxed), 3);
  EXPECT_EQ(pool.counters().started_calls, 10u);
}

TEST_P(BlockingThreadsTest, MoreThreadsComeForThoseThatWaitAndGoAgain) {
  if (simulated()) GTEST_SKIP() << "one call at a time";
  BlockingPool pool("resized", {.threads_max = 1});
  HeldCall first(pool, context);
  auto second = context.spawn([&] { return pool.run([] { return 2; }).value(); });
  test::until([&] { return pool.counters().waiting_calls == 1; });
  pool.resize(2);
  EXPECT_EQ(second.join_uncancellable(), 2);
  test::until([&] { return pool.counters().idle_threads == 1; });
  pool.resize(1);
  test::until([&] { return pool.counters().threads == 1; });
  first.leave.open();
  EXPECT_EQ(first.handle.join_uncancellable().value(), 1);
  EXPECT_EQ(context.spawn([&] { return pool.run([] { return 3; }).value(); }).join_uncancellable(), 3);
  EXPECT_THROW(pool.resize(0), std::system_error);
  EXPECT_THROW(pool.resize(1001), std::system_error);
}

TEST_P(BlockingThreadsTest, IdleThreadsEnd) {
  run([] {
    BlockingPool none("idle", {.idle_timeout = 1ms});
    none.run([] {}).value();
    test::until([&] { return none.counters().threads == 0; });
    EXPECT_EQ(none.run([] { return 1; }).value(), 1);
    EXPECT_LE(none.counters().started_threads, 2u);

    BlockingPool one("idle", {.threads_min = 1, .idle_timeout = 1ms});
    one.run([] {}).value();
    test::until([&] { return one.counters().idle_threads == 1; });
    EXPECT_EQ(one.counters().threads, 1u);
  });
}

TEST_P(BlockingThreadsTest, ADumpNamesThePoolForBothWaits) {
  if (simulated()) GTEST_SKIP() << "the caller runs meanwhile";
  BlockingPool pool("archive", {.threads_max = 1});
  HeldCall held(pool, context);
  auto waiting = test::spawn_suspended(context, [&] { return pool.run([] {}); });
  const std::string text = dump_to_string();
  EXPECT_THAT(text, HasSubstr("waits for a thread of blocking pool \"archive\""));
  EXPECT_THAT(text, HasSubstr("waits for its call on a thread of blocking pool \"archive\""));
  held.leave.open();
  EXPECT_TRUE(held.handle.join_uncancellable());
  EXPECT_TRUE(waiting.join_uncancellable());
}

// A hop of a fiber to an idle thread and back: one call wakes the thread, which makes one to sleep again.
// What the loop does to be woken is its own.
TEST(BlockingPoolCountsTest, AHopMakesTwoCallsOfFutexOfThePools) {
  ConcurrentContext context("counted");
  context
      .spawn([] {
        BlockingPool pool("counted", {.threads_max = 1});
        const auto until_idle = [&] { test::until([&] { return pool.counters().idle_threads == 1; }); };
        pool.run([] {}).value();
        until_idle();
        const sys::CallCounter counter;
        for (int i = 0; i < 10; ++i) {
          pool.run([] {}).value();
          until_idle();
        }
        EXPECT_LE(counter.counts()[sys::Call::futex_wake], 10u);
        EXPECT_LE(counter.counts()[sys::Call::futex_wait], 20u);
        EXPECT_EQ(counter.counts()[sys::Call::mmap], 0u);
      })
      .join_uncancellable();
}

TEST(BlockingPoolDeathTest, APoolDoesNotEndWhileACallWaitsForAThread) {
  const auto misuse = [] {
    ConcurrentContext context("death");
    Gate entered, never;
    auto pool = std::make_unique<BlockingPool>("death", BlockingOptions{.threads_max = 1});
    context.spawn([&] {
      static_cast<void>(pool->run([&] {
        entered.open();
        never.wait();
      }));
    });
    entered.wait();
    context.spawn([&] { static_cast<void>(pool->run([] {})); });
    test::until([&] { return pool->counters().waiting_calls == 1; });
    pool.reset();
  };
  EXPECT_DEATH(misuse(), "a blocking pool is destroyed while a call waits for a thread");
}

TEST(BlockingPoolOptionsTest, NumbersOutOfRangeAreRefused) {
  EXPECT_THROW(BlockingPool("x", {.threads_max = 0}), std::system_error);
  EXPECT_THROW(BlockingPool("x", {.threads_max = 1001}), std::system_error);
  EXPECT_THROW(BlockingPool("x", {.threads_min = 2, .threads_max = 1}), std::system_error);
  EXPECT_EQ(BlockingPool("x").name(), "x");
  EXPECT_EQ(default_blocking_pool().name(), "blocking");
}

}  // namespace
}  // namespace weft
