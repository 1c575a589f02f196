// SPDX-License-Identifier: Apache-2.0
// Spawning, joining, detaching, cancelling; exceptions; from fibers and from plain threads.
#include "support/contexts.hpp"

#include <weft/execution_context.hpp>
#include <weft/this_fiber.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;

class SpawnTest : public test::EveryContext {};
WEFT_UNDER_EVERY_CONTEXT(SpawnTest);

TEST_P(SpawnTest, JoinFromAPlainThreadGivesTheResult) {
  EXPECT_EQ(context().spawn([] { return 42; }).join_uncancellable(), 42);
  EXPECT_EQ(*context().spawn([] { return std::make_unique<int>(7); }).join_uncancellable(), 7);
  context().spawn([] {}).join_uncancellable();
}

TEST_P(SpawnTest, JoinFromAFiberGivesTheResult) {
  auto outer = context().spawn([] {
    auto inner = spawn([] { return std::string("inner"); });
    return inner.join_uncancellable() + " and outer";
  });
  EXPECT_EQ(outer.join_uncancellable(), "inner and outer");
}

TEST_P(SpawnTest, JoinThrowsWhatEscapedFromTheFiber) {
  auto handle = context().spawn([]() -> int { throw std::runtime_error("no luck"); });
  EXPECT_THROW(handle.join_uncancellable(), std::runtime_error);
  auto in_fiber = context().spawn([] {
    auto child = spawn([] { throw std::logic_error("child"); });
    try {
      child.join_uncancellable();
    } catch (const std::logic_error& error) {
      return std::string(error.what());
    }
    return std::string("nothing came");
  });
  EXPECT_EQ(in_fiber.join_uncancellable(), "child");
}

TEST_P(SpawnTest, ADetachedFiberRunsToItsEnd) {
  test::Flag ended;
  context().spawn([&] {
    yield();
    ended.set();
  });
  EXPECT_TRUE(ended.wait());
}

TEST_P(SpawnTest, ACancelledSleepEndsWithCancelled) {
  auto handle = context().spawn([] { return sleep(1h).error(); });
  handle.cancel();
  EXPECT_EQ(handle.join_uncancellable(), make_error_code(Errc::cancelled));
}

TEST_P(SpawnTest, CancelIsStickyAndSeen) {
  test::Flag cancelled;
  auto handle = context().spawn([&] {
    while (!this_fiber::cancel_requested()) yield();
    const bool first = sleep(1h).error() == make_error_code(Errc::cancelled);
    const bool second = sleep(1h).error() == make_error_code(Errc::cancelled);
    return first && second;
  });
  handle.cancel();
  EXPECT_TRUE(handle.join_uncancellable());
}

TEST_P(SpawnTest, ASleepEndsAtItsDeadline) {
  auto handle = context().spawn([] {
    const auto start = std::chrono::steady_clock::now();
    const bool slept = sleep(2ms).has_value();
    return slept && std::chrono::steady_clock::now() - start >= 2ms;
  });
  EXPECT_TRUE(handle.join_uncancellable());
}

TEST_P(SpawnTest, JoinUntilTimesOutAndTheHandleStaysJoinable) {
  test::Flag go;
  auto handle = context().spawn([&] {
    while (!go.is_set()) yield();
    return 5;
  });
  EXPECT_EQ(handle.join_until(Deadline::after(1ms)).error(), make_error_code(Errc::timed_out));
  EXPECT_TRUE(handle.joinable());
  EXPECT_FALSE(handle.done());
  go.set();
  EXPECT_EQ(handle.join_uncancellable(), 5);
}

TEST_P(SpawnTest, JoinUntilInAFiberIsCancellable) {
  auto waiting = context().spawn([&] {
    auto never = spawn([] { return sleep(1h).has_value(); });
    const auto joined = never.join_until(Deadline::never());
    never.cancel();
    never.join_uncancellable();
    return joined.error();
  });
  waiting.cancel();
  EXPECT_EQ(waiting.join_uncancellable(), make_error_code(Errc::cancelled));
}

TEST_P(SpawnTest, ThousandsOfFibersFromAPlainThreadAllRun) {
  constexpr int kFibers = 2000;
  Atomic<int> ran{0};
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < kFibers; ++i) handles.push_back(context().spawn([&] { ran.fetch_add(1, relaxed); }));
  for (auto& handle : handles) handle.join_uncancellable();
  EXPECT_EQ(ran.load(relaxed), kFibers);
}

TEST_P(SpawnTest, ABurstBeyondTheRingRunsWhole) {
  constexpr int kFibers = 3000;
  Atomic<int> ran{0};
  context()
      .spawn([&] {
        std::vector<JoinHandle<void>> handles;
        for (int i = 0; i < kFibers; ++i) handles.push_back(spawn([&] { ran.fetch_add(1, relaxed); }));
        for (auto& handle : handles) handle.join_uncancellable();
      })
      .join_uncancellable();
  EXPECT_EQ(ran.load(relaxed), kFibers);
}

TEST_P(SpawnTest, AFiberKnowsItsNameNumberAndContext) {
  auto handle = context().spawn(
      [] { return std::string(this_fiber::name()) + '@' + std::string(this_fiber::context_name()); },
      {.name = "nora"});
  EXPECT_EQ(handle.name(), "nora");
  EXPECT_GT(handle.id(), 0u);
  EXPECT_EQ(handle.join_uncancellable(), "nora@" + std::string(context().name()));
  EXPECT_FALSE(this_fiber::exists());
}

TEST_P(SpawnTest, AClosureThatCannotBeMovedInLeavesNoFiber) {
  struct Refuses {
    Refuses() = default;
    Refuses(const Refuses&) { throw std::runtime_error("no copies"); }
    void operator()() const {}
  };
  const Refuses closure;
  EXPECT_THROW(context().spawn(closure), std::runtime_error);
}

TEST_P(SpawnTest, AJoinHandleMayBeJoinedInAnotherContext) {
  ConcurrentContext other("other");
  auto handle = context().spawn([] {
    yield();
    return 11;
  });
  auto joined = other.spawn([handle = std::move(handle)]() mutable { return handle.join_uncancellable(); });
  EXPECT_EQ(joined.join_uncancellable(), 11);
}

TEST(SpawnDeathTest, JoiningTwiceIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ConcurrentContext context("twice");
        auto handle = context.spawn([] {});
        handle.join_uncancellable();
        handle.join_uncancellable();
      },
      "BUG: join\\(\\) of an empty join handle");
}

TEST(SpawnDeathTest, AFiberThatJoinsItselfIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ConcurrentContext context("self");
        JoinHandle<void> own;
        test::Flag stored;
        own = context.spawn([&] {
          while (!stored.is_set()) yield();
          own.join_uncancellable();
        });
        stored.set();
        std::promise<void>().get_future().wait();
      },
      "BUG: a fiber joins itself");
}

TEST(SpawnDeathTest, AnExceptionThatNobodyCanReceiveEndsTheProgramNamingTheFiber) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ConcurrentContext context("lonely");
        context.spawn([] { throw std::runtime_error("unheard"); }, {.name = "thrower"});
        std::promise<void>().get_future().wait();
      },
      "an exception left fiber \"thrower\".*spawn_test.cpp.*unheard");
}

TEST(SpawnDeathTest, SpawnOutsideOfEveryFiberIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(spawn([] {}), "BUG: spawn\\(\\) outside of every fiber: call it inside weft::run\\(\\)");
}

}  // namespace
}  // namespace weft
