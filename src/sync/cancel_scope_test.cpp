// SPDX-License-Identifier: Apache-2.0
#include <weft/cancel_scope.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "fiber/baton.hpp"
#include "support/any_context.hpp"
#include "support/cancelled.hpp"
#include "support/sim_context.hpp"

#include <thread>

namespace weft {
namespace {

using namespace std::chrono_literals;

class CancelScopes : public test::InAnyContext {};
INSTANTIATE_TEST_SUITE_P(, CancelScopes, test::all_placements(), test::kind_name);

TEST_P(CancelScopes, ASleepIsCancelledByAnotherThread) {
  const auto slept = test::cancelled_while_waiting(context, [](auto ready) {
    ready();
    return sleep_until(Deadline::never());
  });
  EXPECT_EQ(slept.error(), Errc::cancelled);
}

TEST_P(CancelScopes, AJoinIsCancelledAndTheHandleStaysJoinable) {
  const auto error = test::cancelled_while_waiting(context, [](auto ready) {
    auto other = spawn([] { EXPECT_EQ(sleep_until(Deadline::never()).error(), Errc::cancelled); });
    ready();
    const auto joined = other.join_until(Deadline::never());
    other.cancel();
    other.join_uncancellable();  // is not cancellable
    return joined.error();
  });
  EXPECT_EQ(error, Errc::cancelled);
}

TEST_P(CancelScopes, CancellingFromAFiberOfAnotherContextWakesTheWaiter) {
  ConcurrentContext other("other");
  CancelScope* scope = nullptr;
  Baton made;
  auto fiber = context.spawn([&] {
    CancelScope own;
    scope = &own;
    made.give();
    return sleep_until(Deadline::never()).error();
  });
  other
      .spawn([&] {
        made.take();
        scope->cancel();
      })
      .join_uncancellable();
  EXPECT_EQ(fiber.join_uncancellable(), Errc::cancelled);
}

TEST_P(CancelScopes, ADeadlineEndsEveryCallInTheScope) {
  run([] {
    CancelScope scope(Deadline::after(1ms));
    EXPECT_TRUE(scope.status());
    EXPECT_EQ(sleep_until(Deadline::never()).error(), Errc::timed_out);
    EXPECT_EQ(scope.status().error(), Errc::timed_out);
    EXPECT_EQ(sleep(0ms).error(), Errc::timed_out) << "at once, whatever its own deadline";
    scope.cancel();
    EXPECT_EQ(scope.status().error(), Errc::timed_out) << "the first reason stays";
    EXPECT_TRUE(this_fiber::cancel_requested());
  });
}

TEST_P(CancelScopes, AfterTheScopeTheFiberIsAsBefore) {
  run([] {
    {
      CancelScope scope(Deadline::after(0ms));
      EXPECT_EQ(sleep(1h).error(), Errc::timed_out);
    }
    EXPECT_FALSE(this_fiber::cancel_requested());
    EXPECT_TRUE(sleep(1ms));
  });
}

TEST_P(CancelScopes, TheDeadlineOfTheCallCountsIfItIsEarlier) {
  run([] {
    CancelScope scope(Deadline::after(1h));
    EXPECT_TRUE(sleep(1ms));
    auto other = spawn([] { EXPECT_FALSE(sleep_until(Deadline::never())); });
    EXPECT_EQ(other.join_until(Deadline::after(1ms)).error(), Errc::timed_out);
    other.cancel();
    other.join_uncancellable();
    EXPECT_TRUE(scope.status());
  });
}

TEST_P(CancelScopes, AnInnerScopeEndsAlone) {
  run([] {
    CancelScope outer;
    {
      CancelScope inner;
      inner.cancel();
      EXPECT_EQ(sleep(1h).error(), Errc::cancelled);
    }
    EXPECT_TRUE(sleep(1ms));
    EXPECT_TRUE(outer.status());
  });
}

TEST_P(CancelScopes, AnOuterDeadlineHoldsInAnInnerScope) {
  run([] {
    CancelScope outer(Deadline::after(1ms));
    CancelScope inner(Deadline::after(1h));
    EXPECT_EQ(inner.deadline(), outer.deadline());
    EXPECT_EQ(sleep(1h).error(), Errc::timed_out);
    EXPECT_EQ(outer.status().error(), Errc::timed_out);
  });
}

TEST_P(CancelScopes, SpawnedFibersDoNotInheritTheScope) {
  run([] {
    CancelScope scope;
    scope.cancel();
    auto other = spawn([] { return sleep(1ms).has_value(); });
    EXPECT_TRUE(other.join_uncancellable());
  });
}

TEST_P(CancelScopes, AShieldHoldsOffTheScopeAndTheFibersCancel) {
  Baton waits, go;
  auto fiber = context.spawn([&] {
    CancelScope scope(Deadline::after(0ms));
    waits.give();
    go.take();
    EXPECT_TRUE(this_fiber::cancel_requested());
    EXPECT_TRUE(shield([] { return sleep(1ms); }));
    {
      CancelShield limited(Deadline::after(1ms));
      EXPECT_FALSE(this_fiber::cancel_requested());
      EXPECT_EQ(sleep(1h).error(), Errc::timed_out);
      EXPECT_EQ(limited.status().error(), Errc::timed_out);
    }
    return sleep(1h).error();
  });
  waits.take();
  fiber.cancel();
  go.give();
  const std::error_code error = fiber.join_uncancellable();
  EXPECT_TRUE(error == Errc::cancelled || error == Errc::timed_out) << error.message();
}

// CR2 and CR3: who ends the scope is late again and again, and must hit neither what comes after the scope
// nor what is in a shield.
TEST_P(CancelScopes, ALateCancelHitsNothingElse) {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    CancelScope* scope = nullptr;
    Baton made, cancelled;
    auto fiber = context.spawn([&] {
      {
        CancelScope own;
        scope = &own;
        made.give();
        if (round % 2 == 0) {
          EXPECT_TRUE(shield([] { return sleep(0ms); }));
        }
        for (int i = 0; i < round % 5; ++i) {
          if (!sleep(0ms)) break;
        }
        cancelled.take();
      }
      return sleep(1us).has_value() && sleep(0us).has_value();
    });
    made.take();
    scope->cancel();
    cancelled.give();
    EXPECT_TRUE(fiber.join_uncancellable());
  }
}

TEST(CancelScopeInVirtualTime, TheDeadlineIsExact) {
  test::SimContext world("world");
  world
      .spawn([] {
        const std::int64_t start_ns = now_ns();
        CancelScope scope(Deadline::after(2s));
        EXPECT_TRUE(sleep(1500ms));
        EXPECT_EQ(sleep(1500ms).error(), Errc::timed_out);
        EXPECT_EQ(now_ns() - start_ns, 2'000'000'000);
      })
      .join_uncancellable();
}

TEST(CancelScopeInVirtualTime, ASleepThatEndsWithTheScopeHasSlept) {
  test::SimContext world("world");
  world
      .spawn([] {
        CancelScope scope(Deadline::after(2s));
        EXPECT_TRUE(sleep(2s));
        EXPECT_EQ(scope.status().error(), Errc::timed_out);
        EXPECT_EQ(sleep(2s).error(), Errc::timed_out);
      })
      .join_uncancellable();
}

TEST(CancelScopeInVirtualTime, ATimerArmedInAScopeIsNoTimeoutOfALaterWait) {  // CR9
  test::SimContext world("world");
  world
      .spawn([] {
        {
          CancelScope scope(Deadline::after(1s));
          EXPECT_TRUE(sleep(1ms));
        }
        EXPECT_TRUE(sleep(5s));
        CancelScope scope(Deadline::after(10s));
        EXPECT_TRUE(sleep(9s));
      })
      .join_uncancellable();
}

TEST(CancelScopeOfAThread, ADeadlineEndsTheSleepOfAPlainThread) {
  CancelScope scope(Deadline::after(1ms));
  EXPECT_EQ(sleep_until(Deadline::never()).error(), Errc::timed_out);
  EXPECT_EQ(sleep(1h).error(), Errc::timed_out);
}

TEST(CancelScopeOfAThread, AnotherThreadCancels) {
  CancelScope scope;
  std::thread other([&] { scope.cancel(); });
  EXPECT_EQ(sleep_until(Deadline::never()).error(), Errc::cancelled);
  other.join();
}

// A context that ends waits for what is shielded, and only for that.
TEST(CancelShield, AnEndingContextWaitsForTheCleanUp) {
  bool cleaned = false;
  {
    ConcurrentContext context("context");
    Baton started;
    context.spawn([&] {
      CancelScope scope;
      started.give();
      EXPECT_EQ(sleep_until(Deadline::never()).error(), Errc::cancelled);
      cleaned = shield([] { return sleep(1ms).has_value(); });
    });
    started.take();
  }
  EXPECT_TRUE(cleaned);
}

}  // namespace
}  // namespace weft
