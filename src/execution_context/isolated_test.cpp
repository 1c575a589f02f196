// SPDX-License-Identifier: Apache-2.0
#include "support/contexts.hpp"

#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <stdexcept>
#include <string>
#include <thread>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::Flag;

TEST(IsolatedContextTest, RunsItsClosureOnAThreadOfItsOwn) {
  run([] {
    const std::thread::id here = std::this_thread::get_id();
    std::thread::id there;
    IsolatedContext gui("gui", [&] { there = std::this_thread::get_id(); });
    gui.join_uncancellable();
    EXPECT_NE(there, std::thread::id());
    EXPECT_NE(there, here);
  });
}

TEST(IsolatedContextTest, WhatItSpawnsRunsInItsSpawnContext) {
  ConcurrentContext workers("workers");
  std::string inside, child;
  IsolatedContext gui("gui", workers, [&] {
    inside = this_fiber::context_name();
    child = spawn([] { return std::string(this_fiber::context_name()); }).join_uncancellable();
  });
  gui.join_uncancellable();
  EXPECT_EQ(inside, "gui");
  EXPECT_EQ(child, "workers");
  EXPECT_EQ(gui.spawn([] { return std::string(this_fiber::context_name()); }).join_uncancellable(),
            "workers");
}

TEST(IsolatedContextTest, TheSpawnContextOfANestedOneIsTheOuterOnes) {
  run([] {
    std::string child;
    IsolatedContext outer("outer", [&] {
      IsolatedContext inner("inner", [&] {
        child = spawn([] { return std::string(this_fiber::context_name()); }).join_uncancellable();
      });
      inner.join_uncancellable();
    });
    outer.join_uncancellable();
    EXPECT_EQ(child, "default");
  });
}

TEST(IsolatedContextTest, BlockingInItStopsNobodyElse) {
  run([] {
    Flag others_ran;
    IsolatedContext blocked("blocked", [&] { EXPECT_TRUE(others_ran.wait()); });
    spawn([&] { others_ran.set(); }).join_uncancellable();
    blocked.join_uncancellable();
  });
}

TEST(IsolatedContextTest, ItsFiberMaySleepAndBeCancelled) {
  run([] {
    bool cancelled = false;
    Flag slept;
    IsolatedContext sleeper("sleeper", [&] {
      EXPECT_TRUE(sleep(1ms));
      slept.set();
      cancelled = sleep(1h).error() == make_error_code(Errc::cancelled);
    });
    while (!slept.is_set()) yield();
    sleeper.cancel();
    sleeper.join_uncancellable();
    EXPECT_TRUE(cancelled);
  });
}

TEST(IsolatedContextTest, JoinThrowsWhatEscaped) {
  ConcurrentContext workers("workers");
  IsolatedContext faulty("faulty", workers, [] { throw std::runtime_error("broken"); });
  EXPECT_THROW(faulty.join_uncancellable(), std::runtime_error);
}

TEST(IsolatedContextTest, JoinUntilGivesUpAtItsDeadline) {
  ConcurrentContext workers("workers");
  Flag go;
  IsolatedContext slow("slow", workers, [&] { EXPECT_TRUE(go.wait()); });
  EXPECT_EQ(slow.join_until(Deadline::after(1ms)).error(), make_error_code(Errc::timed_out));
  go.set();
  EXPECT_TRUE(slow.join_until(Deadline::after(test::kPatience)));
}

TEST(IsolatedContextTest, DestructionWithoutJoinCancelsAndWaits) {
  ConcurrentContext workers("workers");
  bool cancelled = false;
  {
    IsolatedContext sleeper("sleeper", workers, [&] { cancelled = !sleep(1h); });
  }
  EXPECT_TRUE(cancelled);
}

TEST(IsolatedContextDeathTest, JoiningTwiceIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ConcurrentContext workers("workers");
        IsolatedContext twice("twice", workers, [] {});
        twice.join_uncancellable();
        twice.join_uncancellable();
      },
      "BUG: join\\(\\) of an empty join handle");
}

TEST(IsolatedContextDeathTest, OneWithoutASpawnContextOnAPlainThreadIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(IsolatedContext("nowhere", [] {}),
               "BUG: spawn\\(\\) outside of every fiber: call it inside weft::run\\(\\)");
}

}  // namespace
}  // namespace weft
