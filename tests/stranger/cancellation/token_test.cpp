// SPDX-License-Identifier: Apache-2.0
// When the token of a scope asks to stop: at each of its ends but that of the block.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <optional>
#include <stop_token>

namespace {

using namespace std::chrono_literals;
using weft::CancelScope;
using weft::CancelToken;
using weft::Deadline;
using weft::Errc;

TEST(Tokens, FireWhenTheScopeIsCancelled) {
  CancelScope scope;
  const CancelToken token = scope.token();
  EXPECT_FALSE(token.cancelled());
  EXPECT_TRUE(token.can_be_cancelled());
  scope.cancel();
  EXPECT_TRUE(token.cancelled());
  EXPECT_TRUE(scope.token().cancelled());
}

TEST(Tokens, FireWhenAScopeAroundItIsCancelled) {
  CancelScope outer;
  CancelScope inner;
  const CancelToken token = inner.token();
  outer.cancel();
  EXPECT_TRUE(token.cancelled());
}

TEST(Tokens, FireWhenTheTokenOfTheScopeDoes) {
  std::stop_source source;
  CancelScope scope{CancelToken(source.get_token())};
  const CancelToken token = scope.token();
  source.request_stop();
  EXPECT_TRUE(token.cancelled());
}

TEST(Tokens, FireWhenAWaitNoticesTheDeadline) {
  stranger::in_fiber([] {
    CancelScope scope(Deadline::after(1ms));
    const CancelToken token = scope.token();
    EXPECT_EQ(weft::sleep(1h).error(), Errc::timed_out);
    EXPECT_TRUE(token.cancelled());
  });
}

TEST(Tokens, FireAtTheLatestWhenABlockIsLeftWhoseDeadlineHasPassed) {
  CancelToken token;
  {
    CancelScope scope(Deadline::after(-1s));
    token = scope.token();
    EXPECT_FALSE(token.cancelled()) << "nobody has noticed";
  }
  EXPECT_TRUE(token.cancelled());
}

TEST(Tokens, DoNotFireWhenABlockIsLeftThatWasOpen) {
  CancelToken token;
  {
    CancelScope scope(Deadline::after(1h));
    token = scope.token();
    EXPECT_TRUE(token.can_be_cancelled());
  }
  EXPECT_FALSE(token.cancelled());
  EXPECT_FALSE(token.can_be_cancelled()) << "nobody is left who could ask";
}

TEST(Tokens, OfAScopeThatIsLeftLetBoundFibersGoOn) {
  stranger::in_fiber([] {
    weft::Semaphore go(0);
    weft::JoinHandle<weft::Result<void>> bound;
    std::optional<CancelScope> scope(std::in_place);
    bound = weft::spawn([&go, token = scope->token()] {
      CancelScope own(token);
      return go.acquire();
    });
    weft::yield();
    scope.reset();
    weft::yield();
    EXPECT_FALSE(bound.done());
    go.release();
    EXPECT_TRUE(bound.join());
  });
}

TEST(Tokens, CancelLastStopsBoundFibersWithTheBlock) {
  stranger::in_fiber([] {
    weft::Semaphore never(0);
    weft::JoinHandle<weft::Result<void>> bound;
    {
      CancelScope scope;
      bound = weft::spawn([&never, token = scope.token()] {
        CancelScope own(token);
        return never.acquire();
      });
      weft::yield();
      scope.cancel();
    }
    EXPECT_EQ(bound.join().error(), Errc::cancelled);
  });
}

TEST(Tokens, AnEmptyOneNeverAsks) {
  const CancelToken empty;
  EXPECT_FALSE(empty.cancelled());
  EXPECT_FALSE(empty.can_be_cancelled());
  CancelScope scope(empty);
  EXPECT_TRUE(scope.status());
}

}  // namespace
