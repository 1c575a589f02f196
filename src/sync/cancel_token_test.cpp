// SPDX-License-Identifier: Apache-2.0
#include <weft/cancel_scope.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "fiber/baton.hpp"
#include "support/any_context.hpp"

#include <optional>
#include <stop_token>
#include <thread>

namespace weft {
namespace {

using namespace std::chrono_literals;

class CancelTokens : public test::InAnyContext {};
INSTANTIATE_TEST_SUITE_P(, CancelTokens, test::all_placements(), test::kind_name);

TEST_P(CancelTokens, AScopeBoundToAStopTokenEndsWhenStopIsRequested) {
  std::stop_source source;
  Baton started;
  auto fiber = context.spawn([&] {
    CancelScope scope(source.get_token());
    started.give();
    return sleep_until(Deadline::never()).error();
  });
  started.take();
  source.request_stop();
  EXPECT_EQ(fiber.join_uncancellable(), Errc::cancelled);
}

TEST_P(CancelTokens, AScopeBoundToATokenThatHasStoppedHasEnded) {
  std::stop_source source;
  source.request_stop();
  run([&] {
    CancelScope scope(source.get_token());
    EXPECT_EQ(sleep(1h).error(), Errc::cancelled);
  });
}

TEST_P(CancelTokens, AStopAfterTheScopeDoesNothing) {
  std::stop_source source;
  run([&] {
    { CancelScope scope(source.get_token()); }
    source.request_stop();
    EXPECT_TRUE(sleep(1ms));
  });
}

TEST_P(CancelTokens, AScopeWithATokenKeepsItsDeadline) {
  std::stop_source source;
  run([&] {
    CancelScope scope(source.get_token(), Deadline::after(1ms));
    EXPECT_EQ(sleep(1h).error(), Errc::timed_out);
  });
}

TEST_P(CancelTokens, ATokenTellsOfTheEndOfItsScopeAndOutlivesIt) {
  run([] {
    CancelToken token;
    EXPECT_FALSE(token.can_be_cancelled());
    {
      CancelScope scope;
      token = scope.token();
      EXPECT_TRUE(token.can_be_cancelled());
      EXPECT_FALSE(token.cancelled());
      scope.cancel();
      EXPECT_TRUE(token.cancelled());
      EXPECT_TRUE(scope.token().cancelled());
    }
    EXPECT_TRUE(token.cancelled());
  });
}

TEST_P(CancelTokens, ATokenOfAScopeThatEndedInPeaceNeverStops) {
  run([] {
    std::optional<CancelScope> scope(std::in_place);
    const CancelToken token = scope->token();
    scope.reset();
    EXPECT_FALSE(token.cancelled());
    EXPECT_FALSE(token.can_be_cancelled());
  });
}

TEST_P(CancelTokens, ATokenMadeLateOfAnEndedScopeHasStopped) {
  run([] {
    CancelScope scope;
    scope.cancel();
    EXPECT_TRUE(scope.token().cancelled());
  });
}

TEST_P(CancelTokens, TheEndOfAnOuterScopeAndADeadlineReachTheToken) {
  run([] {
    CancelScope outer(Deadline::after(1ms));
    CancelScope inner;
    const CancelToken token = inner.token();
    EXPECT_EQ(sleep(1h).error(), Errc::timed_out);
    EXPECT_TRUE(token.cancelled());
  });
}

TEST_P(CancelTokens, ADetachedFiberIsBoundToAScopeByItsToken) {
  run([] {
    Baton waits, ended;
    CancelScope scope;
    spawn([&, token = scope.token()] {
      CancelScope own(token);
      waits.give();
      EXPECT_EQ(sleep_until(Deadline::never()).error(), Errc::cancelled);
      ended.give();
    });
    waits.take();
    scope.cancel();
    ended.take();
  });
}

TEST_P(CancelTokens, ACallbackOfTheTokenIsCalledWhenTheScopeEnds) {
  run([] {
    int calls = 0;
    CancelScope scope;
    const CancelToken token = scope.token();
    std::stop_callback callback(token.stop_token(), [&] { ++calls; });
    scope.cancel();
    scope.cancel();
    EXPECT_EQ(calls, 1);
  });
}

// CR10: the scope is left while another thread tells its listener.
TEST_P(CancelTokens, AScopeMayBeLeftWhileItsTokenIsBeingTold) {
  for (int round = 0; round < 60; ++round) {
    std::stop_source source;
    auto fiber = context.spawn([&, token = source.get_token()] {
      CancelToken inner;
      {
        CancelScope scope(token);
        inner = scope.token();
        while (scope.status()) {
          if (!sleep(10us)) break;
        }
      }
      return inner;
    });
    source.request_stop();
    const CancelToken inner = fiber.join_uncancellable();
    while (!inner.cancelled()) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace weft
