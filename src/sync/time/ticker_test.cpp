// SPDX-License-Identifier: Apache-2.0
// Tickers in virtual time, where a tick comes exactly when it is due; and in every context, where it does not
// come before.
#include <weft/ticker.hpp>

#include "base/clock.hpp"
#include "support/any_context.hpp"
#include "support/branches.hpp"
#include "support/sim_context.hpp"
#include "support/waiting.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/channel.hpp>
#include <weft/select.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::in_virtual_time;
using test::kNever;

std::int64_t count_ns(std::chrono::nanoseconds time) { return time.count(); }

/// When ticks were delivered, after `start`; before each the fiber was busy for one of `busy`.
std::vector<std::chrono::nanoseconds> deliveries(Ticker& ticker, std::int64_t start,
                                                 const std::vector<std::chrono::nanoseconds>& busy) {
  std::vector<std::chrono::nanoseconds> times;
  for (const auto time : busy) {
    if (time > 0ns) sleep(time);
    EXPECT_TRUE(ticker.tick());
    times.emplace_back(now_ns() - start);
  }
  return times;
}

using Deliveries = std::vector<std::chrono::nanoseconds>;

TEST(Ticker, ComesAtEachMultipleOfItsPeriodInVirtualTime) {
  in_virtual_time([](std::int64_t start) {
    Ticker ticker(10ms);
    EXPECT_EQ(deliveries(ticker, start, {0ns, 3ms, 9ms, 0ns}), (Deliveries{10ms, 20ms, 30ms, 40ms}));
  });
}

TEST(Ticker, DoesNotDriftOverManyTicksOfAnOddPeriod) {
  in_virtual_time([](std::int64_t start) {
    Ticker ticker(7ns);
    for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(ticker.tick());
    EXPECT_EQ(now_ns() - start, 700'000);
  });
}

TEST(Ticker, BeginsWhenItIsTold) {
  in_virtual_time([](std::int64_t start) {
    Ticker at_once(10ms, 0ns);
    EXPECT_EQ(deliveries(at_once, start, {0ns, 0ns}), (Deliveries{0ms, 10ms}));
    Ticker later(1ms, Deadline::at_ns(start + count_ns(1h)));
    EXPECT_EQ(deliveries(later, start, {0ns, 0ns}), (Deliveries{1h, 1h + 1ms}));
  });
}

TEST(Ticker, SkipsWhatWasMissedAndStaysOnItsSchedule) {
  in_virtual_time([](std::int64_t start) {
    Ticker ticker(10ms);
    sleep(35ms);
    const Tick late = ticker.tick().value();
    EXPECT_EQ(late.due.time_ns(), start + count_ns(10ms));
    EXPECT_EQ(late.missed, 2u);
    EXPECT_EQ(now_ns(), start + count_ns(35ms));
    const Tick next = ticker.tick().value();
    EXPECT_EQ(next.due.time_ns(), start + count_ns(40ms));
    EXPECT_EQ(next.missed, 0u);
    EXPECT_EQ(now_ns(), start + count_ns(40ms));
  });
}

TEST(Ticker, DeliversAllThatWasMissedInABurst) {
  in_virtual_time([](std::int64_t start) {
    Ticker ticker(10ms, MissedTicks::kBurst);
    sleep(35ms);
    for (const auto due : {10ms, 20ms, 30ms}) {
      const Tick tick = ticker.tick().value();
      EXPECT_EQ(tick.due.time_ns(), start + count_ns(due));
      EXPECT_EQ(tick.missed, 0u);
      EXPECT_EQ(now_ns(), start + count_ns(35ms));
    }
    EXPECT_TRUE(ticker.tick());
    EXPECT_EQ(now_ns(), start + count_ns(40ms));
  });
}

TEST(Ticker, StartsAnewAfterADelayOfAWholePeriodOnly) {
  in_virtual_time([](std::int64_t start) {
    Ticker ticker(10ms, MissedTicks::kDelay);
    // 13 is late by less than a period; 20 is on the schedule; 45 has missed one.
    EXPECT_EQ(deliveries(ticker, start, {13ms, 0ns, 25ms, 0ns, 0ns}),
              (Deliveries{13ms, 20ms, 45ms, 55ms, 65ms}));
  });
}

TEST(Ticker, ExactlyAPeriodLateHasMissedOne) {
  in_virtual_time([](std::int64_t start) {
    Ticker ticker(10ms);
    sleep(20ms);
    EXPECT_EQ(ticker.tick().value().missed, 1u);
    EXPECT_EQ(ticker.next().time_ns(), start + count_ns(30ms));
  });
}

TEST(Ticker, ATickThatIsGivenUpIsNotTaken) {
  in_virtual_time([](std::int64_t start) {
    Ticker ticker(10ms);
    EXPECT_EQ(ticker.tick_until(5ms).error(), Errc::timed_out);
    EXPECT_EQ(now_ns(), start + count_ns(5ms));
    EXPECT_EQ(ticker.tick_until(-1ns).error(), Errc::timed_out);
    EXPECT_EQ(ticker.try_tick().error(), Errc::would_block);
    {
      const CancelScope scope(2ms);
      EXPECT_EQ(ticker.tick().error(), Errc::timed_out);
    }
    auto cancelled = test::spawn_waiting([&] { return ticker.tick().error(); });
    cancelled.cancel();
    EXPECT_EQ(cancelled.join_uncancellable(), Errc::cancelled);
    EXPECT_EQ(ticker.tick_until(1h).value().due.time_ns(), start + count_ns(10ms));
    EXPECT_EQ(now_ns(), start + count_ns(10ms));
    sleep(10ms);
    EXPECT_TRUE(ticker.tick_until(-1ns)) << "what is due needs no wait";
  });
}

TEST(Ticker, IsABranchOfASelect) {
  in_virtual_time([](std::int64_t start) {
    Ticker ticker(10ms);
    Ticker slow(25ms);
    Channel<int> silent;
    Deliveries fast_at, slow_at;
    for (int i = 0; i < 7; ++i) {
      EXPECT_TRUE(select(tick(ticker, [&](Tick) { fast_at.emplace_back(now_ns() - start); }),
                         tick(slow, [&] { slow_at.emplace_back(now_ns() - start); }), receive(silent, kNever),
                         after(1h, kNever)));
    }
    EXPECT_EQ(fast_at, (Deliveries{10ms, 20ms, 30ms, 40ms, 50ms}));
    EXPECT_EQ(slow_at, (Deliveries{25ms, 50ms}));
    bool late = false;
    EXPECT_TRUE(select(tick(ticker, kNever), after(5ms, [&] { late = true; })));
    EXPECT_TRUE(late);
    EXPECT_TRUE(select(tick(ticker, kNever), otherwise([] {})));
    EXPECT_EQ(ticker.next().time_ns(), start + count_ns(60ms));
  });
}

TEST(Ticker, IsNotKeptAwayByAChannelThatAlwaysHasValues) {
  in_virtual_time([](std::int64_t) {
    Ticker due(1ns, 0ns, MissedTicks::kBurst);
    sleep(1s);
    Channel<int> full(1);
    int ticks = 0, values = 0;
    for (int i = 0; i < 400; ++i) {
      if (full.empty()) full.send(1).value();
      select(tick(due, [&] { ++ticks; }), receive(full, [&](Result<int>) { ++values; }));
    }
    // One in 10^29 by chance.
    EXPECT_GT(ticks, 40);
    EXPECT_GT(values, 40);
  });
}

TEST(Ticker, ASelectThatLostItsTickToAnotherWaitsForTheNext) {
  in_virtual_time([](std::int64_t start) {
    Ticker ticker(10ms);
    std::vector<JoinHandle<std::int64_t>> waiting;
    for (int i = 0; i < 3; ++i) {
      waiting.push_back(spawn([&] {
        std::int64_t due = 0;
        EXPECT_TRUE(select(tick(ticker, [&](Tick tick) { due = tick.due.time_ns(); })));
        return due;
      }));
      waiting.push_back(spawn([&] { return ticker.tick().value().due.time_ns(); }));
    }
    std::vector<std::int64_t> due;
    for (auto& fiber : waiting) due.push_back((fiber.join_uncancellable() - start) / count_ns(10ms));
    std::sort(due.begin(), due.end());
    EXPECT_EQ(due, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
  });
}

TEST(Ticker, AScopeAndACancelEndASelectOverIt) {
  in_virtual_time([](std::int64_t) {
    Ticker ticker(1h);
    {
      const CancelScope scope(1s);
      EXPECT_EQ(select(tick(ticker, kNever)).error(), Errc::timed_out);
    }
    auto waiting = test::spawn_waiting([&] { return select(tick(ticker, kNever)).error(); });
    waiting.cancel();
    EXPECT_EQ(waiting.join_uncancellable(), Errc::cancelled);
  });
}

class TickerTest : public test::InAnyContext {};

TEST_P(TickerTest, EachTickIsDeliveredOnceAndNotTooEarly) {
  run([] {
    const std::int64_t start = now_ns();
    Ticker ticker(100us, MissedTicks::kBurst);
    std::vector<JoinHandle<std::vector<std::int64_t>>> fibers;
    for (int i = 0; i < 4; ++i) {
      fibers.push_back(spawn([&] {
        std::vector<std::int64_t> due;
        for (int n = 0; n < 25; ++n) {
          due.push_back(ticker.tick().value().due.time_ns());
          EXPECT_GE(now_ns(), due.back());
        }
        return due;
      }));
    }
    std::vector<std::int64_t> due;
    for (auto& fiber : fibers) {
      const auto its = fiber.join_uncancellable();
      due.insert(due.end(), its.begin(), its.end());
    }
    std::sort(due.begin(), due.end());
    ASSERT_EQ(due.size(), 100u);
    EXPECT_GE(due.front(), start + count_ns(100us));
    for (std::size_t i = 1; i < due.size(); ++i) EXPECT_EQ(due[i], due[i - 1] + count_ns(100us));
  });
}

INSTANTIATE_TEST_SUITE_P(, TickerTest, test::all_placements(), test::kind_name);

}  // namespace
}  // namespace weft
