// SPDX-License-Identifier: Apache-2.0
// Tickers as include/weft/ticker.hpp describes them: odd periods, plain threads, many callers.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::MissedTicks;
using weft::Ticker;
using Seconds = std::chrono::duration<double>;

TEST(Tickers, RefuseAPeriodThatIsNone) {
  EXPECT_THROW(Ticker{0s}, std::invalid_argument);
  EXPECT_THROW(Ticker{-1ns}, std::invalid_argument);
  EXPECT_THROW(Ticker{std::chrono::hours::min()}, std::invalid_argument);
  EXPECT_THROW(Ticker{Seconds(std::nan(""))}, std::invalid_argument);
  EXPECT_THROW(Ticker{Seconds(1e-10)}, std::invalid_argument);
  EXPECT_THROW(Ticker{Seconds(-std::numeric_limits<double>::infinity())}, std::invalid_argument);
  EXPECT_THROW((Ticker{0s, 1s}), std::invalid_argument);
  EXPECT_EQ(Ticker(1ns).period(), 1ns);
}

TEST(Tickers, OfTheGreatestPeriodNeverTick) {
  stranger::in_fiber([] {
    for (const auto period : {std::chrono::nanoseconds::max(), std::chrono::nanoseconds::max() - 1ns}) {
      Ticker ticker(period);
      EXPECT_EQ(ticker.try_tick().error(), Errc::would_block);
      EXPECT_EQ(ticker.tick_until(1ms).error(), Errc::timed_out);
    }
    Ticker hours(std::chrono::hours::max());
    EXPECT_TRUE(hours.next().is_never());
    EXPECT_EQ(hours.tick_until(1ms).error(), Errc::timed_out);
    EXPECT_EQ(Ticker(Seconds(std::numeric_limits<double>::infinity())).tick_until(1ms).error(),
              Errc::timed_out);
    bool in_time = false;
    EXPECT_TRUE(weft::select(weft::tick(hours, [] {}), weft::after(1ms, [&] { in_time = true; })));
    EXPECT_TRUE(in_time);
  });
}

TEST(Tickers, BeginAtAnyDeadline) {
  stranger::in_fiber([] {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    for (const auto missed : {MissedTicks::kSkip, MissedTicks::kDelay}) {
      Ticker old(1h, Deadline::at_ns(kLeast), missed);
      EXPECT_EQ(old.tick().value().due.time_ns(), kLeast);
      EXPECT_GT(old.next(), Deadline::at_ns(0));
      EXPECT_FALSE(old.next().passed());
    }
    Ticker burst(std::chrono::nanoseconds::max(), Deadline::at_ns(kLeast), MissedTicks::kBurst);
    EXPECT_TRUE(burst.tick());
    EXPECT_EQ(burst.next(), Deadline::at_ns(-1));
    EXPECT_TRUE(burst.tick());
    EXPECT_EQ(burst.next(), Deadline::at_ns(std::numeric_limits<std::int64_t>::max() - 1));
    Ticker never(1ns, Deadline::never());
    EXPECT_EQ(never.tick_until(1ms).error(), Errc::timed_out);
  });
}

TEST(Tickers, TickOnPlainThreads) {
  Ticker ticker(100us);
  std::vector<Deadline> due;
  std::thread thread([&] {
    for (int i = 0; i < 3; ++i) due.push_back(ticker.tick().value().due);
  });
  thread.join();
  EXPECT_LT(due[0], due[1]);
  EXPECT_LT(due[1], due[2]);
  EXPECT_EQ((due[2].time_ns() - due[0].time_ns()) % 100'000, 0);
  bool ticked = false;
  EXPECT_TRUE(weft::select(weft::tick(ticker, [&] { ticked = true; })));
  EXPECT_TRUE(ticked);
}

TEST(Tickers, ALoopEndsWhenItsFiberIsCancelled) {
  stranger::in_fiber([] {
    Ticker slow(1h);
    Ticker busy(1ns, Deadline::at_ns(0), MissedTicks::kBurst);  // always due
    auto loop = weft::spawn([&] {
      int rounds = 0;
      while (slow.tick()) ++rounds;
      return rounds;
    });
    auto hot = weft::spawn([&] {
      while (busy.tick()) {}
      return true;
    });
    weft::yield();
    loop.cancel();
    hot.cancel();
    EXPECT_EQ(loop.join().value(), 0);
    EXPECT_TRUE(hot.join().value());
  });
}

TEST(Tickers, EndWithTheGroupAndTheTimeLimit) {
  stranger::in_fiber([] {
    Ticker ticker(1h);
    const auto wait = [&]() -> weft::Result<void> {
      auto tick = ticker.tick();
      if (!tick) return tick.error();
      return {};
    };
    EXPECT_EQ(weft::with_timeout(1ms, wait).error(), Errc::timed_out);
    weft::TaskGroup<void> group;
    for (int i = 0; i < 100; ++i) group.spawn(wait);
    group.cancel();
    EXPECT_EQ(group.wait().error(), Errc::cancelled);
  });
}

TEST(Tickers, TheFunctionOfABranchMayThrowAndTickAgain) {
  stranger::in_fiber([] {
    Ticker ticker(1ns);
    EXPECT_THROW(weft::select(weft::tick(ticker, [](weft::Tick) { throw std::runtime_error("no"); })),
                 std::runtime_error);
    int ticks = 0;
    weft::select(weft::tick(ticker, [&] { ticks += ticker.tick().has_value(); }));
    EXPECT_EQ(ticks, 1);
    EXPECT_EQ(
        weft::select(weft::tick(ticker, [&] { ++ticks; }), weft::tick(ticker, [&] { ++ticks; })).error(),
        std::error_code());
    EXPECT_EQ(ticks, 2);
  });
}

}  // namespace
