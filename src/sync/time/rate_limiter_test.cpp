// SPDX-License-Identifier: Apache-2.0
// Rate limiters in virtual time, where each grant comes at the nanosecond that the algorithm says; and in
// every context, where no more is granted than the rate allows.
#include <weft/rate_limiter.hpp>

#include "base/clock.hpp"
#include "support/any_context.hpp"
#include "support/sim_context.hpp"
#include "support/waiting.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/this_fiber.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::in_virtual_time;
using test::spawn_waiting;

struct GrantLog {
  std::int64_t start;
  std::vector<std::pair<std::string, std::chrono::nanoseconds>> granted;

  auto waiter(RateLimiter& limiter, std::string label, std::size_t permits,
              Deadline deadline = Deadline::never()) {
    return spawn_waiting([this, &limiter, label, permits, deadline] {
      const Result<void> got = limiter.acquire_until(deadline, permits);
      if (got) granted.emplace_back(label, now_ns() - start);
      return got.error();
    });
  }
};

using GrantTimes = std::vector<std::pair<std::string, std::chrono::nanoseconds>>;

TEST(RateLimiter, GivesABurstAndThenItsRate) {
  in_virtual_time([](std::int64_t start) {
    RateLimiter limiter(1000, 3);
    std::vector<std::int64_t> times;
    for (int i = 0; i < 6; ++i) {
      EXPECT_TRUE(limiter.acquire());
      times.push_back((now_ns() - start) / 1'000'000);
    }
    EXPECT_EQ(times, (std::vector<std::int64_t>{0, 0, 0, 1, 2, 3}));
    sleep(1h);
    EXPECT_EQ(limiter.available(), 3u);
    EXPECT_TRUE(limiter.try_acquire(3));
    EXPECT_FALSE(limiter.try_acquire());
  });
}

TEST(RateLimiter, HasNoDriftWhereAPermitIsNoWholeNumberOfNanoseconds) {
  in_virtual_time([](std::int64_t start) {
    RateLimiter limiter({3, 1s}, 1);
    EXPECT_TRUE(limiter.acquire());
    for (int i = 0; i < 30'000; ++i) ASSERT_TRUE(limiter.acquire());
    EXPECT_EQ(now_ns() - start, 10'000ll * 1'000'000'000);
    RateLimiter fast({7'000'000'000, 1s}, 10);
    const std::int64_t before = now_ns();
    EXPECT_TRUE(fast.acquire(10));
    for (int i = 0; i < 70'000; ++i) ASSERT_TRUE(fast.acquire(10));
    EXPECT_EQ(now_ns() - before, 100'000);
  });
}

TEST(RateLimiter, IsFairAndLetsNobodyPast) {
  in_virtual_time([](std::int64_t start) {
    RateLimiter limiter(1000, 10);
    EXPECT_TRUE(limiter.try_acquire(10));
    GrantLog log{start, {}};
    auto large = log.waiter(limiter, "large", 8);
    auto small = log.waiter(limiter, "small", 1);
    auto last = log.waiter(limiter, "last", 10);
    EXPECT_EQ(limiter.available(), 0u);
    sleep(5ms);
    EXPECT_FALSE(limiter.try_acquire()) << "five are there, and somebody waits for eight";
    EXPECT_TRUE(limiter.try_acquire(0));
    EXPECT_TRUE(limiter.acquire(0));
    EXPECT_TRUE(limiter.acquire());
    log.granted.emplace_back("own", now_ns() - start);
    for (auto* fiber : {&large, &small, &last}) EXPECT_EQ(fiber->join_uncancellable(), std::error_code());
    EXPECT_EQ(log.granted, (GrantTimes{{"large", 8ms}, {"small", 9ms}, {"last", 19ms}, {"own", 20ms}}));
  });
}

// The first, one in the middle, and the last give up, in each way; those behind move up.
TEST(RateLimiter, WhoGivesUpTakesNothingAndThoseBehindMoveUp) {
  for (const int how : {0, 1, 2}) {
    for (const int who : {0, 1, 2}) {
      in_virtual_time([&](std::int64_t start) {
        RateLimiter limiter(1000, 10);
        EXPECT_TRUE(limiter.try_acquire(10));
        GrantLog log{start, {}};
        std::vector<JoinHandle<std::error_code>> fibers;
        for (int i = 0; i < 3; ++i) {
          const std::string label = std::to_string(i);
          if (i == who && how == 1) {
            fibers.push_back(log.waiter(limiter, label, 10, 5ms));
          } else if (i == who && how == 2) {
            fibers.push_back(spawn_waiting([&] {
              const CancelScope scope(5ms);
              return limiter.acquire(10).error();
            }));
          } else {
            fibers.push_back(log.waiter(limiter, label, 10));
          }
        }
        sleep(5ms);
        if (how == 0) fibers[static_cast<std::size_t>(who)].cancel();
        GrantTimes expected;
        for (int i = 0; i < 3; ++i) {
          const auto error = fibers[static_cast<std::size_t>(i)].join_uncancellable();
          EXPECT_EQ(error, i != who ? std::error_code() : how == 0 ? Errc::cancelled : Errc::timed_out);
          if (i != who) expected.emplace_back(std::to_string(i), expected.empty() ? 10ms : 20ms);
        }
        EXPECT_EQ(log.granted, expected) << how << " " << who;
        EXPECT_EQ(limiter.available(), 0u);
        sleep(3ms);
        EXPECT_EQ(limiter.available(), 3u) << "nothing was lost, nothing is there twice";
      });
    }
  }
}

TEST(RateLimiter, AManyThatMovesUpAtOnceIsGrantedAtOnce) {
  in_virtual_time([](std::int64_t start) {
    RateLimiter limiter(1000, 10);
    EXPECT_TRUE(limiter.try_acquire(10));
    GrantLog log{start, {}};
    auto large = log.waiter(limiter, "large", 10);
    auto one = log.waiter(limiter, "one", 2);
    auto two = log.waiter(limiter, "two", 3);
    auto three = log.waiter(limiter, "three", 1);
    sleep(5ms);
    large.cancel();
    EXPECT_EQ(large.join_uncancellable(), Errc::cancelled);
    for (auto* fiber : {&one, &two, &three}) EXPECT_EQ(fiber->join_uncancellable(), std::error_code());
    EXPECT_EQ(log.granted, (GrantTimes{{"one", 5ms}, {"two", 5ms}, {"three", 6ms}}));
  });
}

TEST(RateLimiter, ManyThousandsMoveUpAtOnce) {
  in_virtual_time([](std::int64_t) {
    RateLimiter limiter(1'000'000, 2000);
    EXPECT_TRUE(limiter.try_acquire(2000));
    GrantLog log{0, {}};
    auto first = log.waiter(limiter, "first", 2000);
    std::vector<JoinHandle<void>> fibers;
    for (int i = 0; i < 1500; ++i) fibers.push_back(spawn_waiting([&] { EXPECT_TRUE(limiter.acquire()); }));
    sleep(1999us);
    const std::int64_t before = now_ns();
    first.cancel();
    for (auto& fiber : fibers) fiber.join_uncancellable();
    EXPECT_EQ(now_ns(), before);
    EXPECT_EQ(first.join_uncancellable(), Errc::cancelled);
    EXPECT_EQ(limiter.available(), 499u);
  });
}

class RateLimiterTest : public test::InAnyContext {};

TEST_P(RateLimiterTest, GrantsNoMoreThanItsRateToMany) {
  run([] {
    RateLimiter limiter(100'000, 5);
    const std::int64_t start = now_ns();
    std::vector<JoinHandle<void>> fibers;
    for (int i = 0; i < 8; ++i) {
      fibers.push_back(spawn([&] {
        for (int n = 0; n < 50; ++n) EXPECT_TRUE(limiter.acquire(n % 3 == 0 ? 2 : 1));
      }));
    }
    for (auto& fiber : fibers) fiber.join_uncancellable();
    constexpr int kPermits = 8 * (50 + 17);
    EXPECT_GE(now_ns() - start, (kPermits - 5) * 10'000);
  });
}

TEST_P(RateLimiterTest, CancelsDeadlinesAndGrantsMeet) {
  run([] {
    auto limiter = std::make_unique<RateLimiter>(1'000'000, 4);
    const std::int64_t start = now_ns();
    std::vector<JoinHandle<std::size_t>> fibers;
    for (int i = 0; i < 16; ++i) {
      fibers.push_back(spawn([&, i] {
        std::size_t got = 0;
        for (int n = 0; n < 60; ++n) {
          const auto permits = static_cast<std::size_t>(1 + (i + n) % 4);
          const Deadline deadline = n % 2 == 0 ? Deadline::never() : Deadline::after_ns(n * 500);
          const Result<void> result = limiter->acquire_until(deadline, permits);
          if (result) got += permits;
          if (!result && result.error() == Errc::cancelled) break;
        }
        return got;
      }));
    }
    for (int i = 0; i < 16; i += 3) {
      yield();
      fibers[static_cast<std::size_t>(i)].cancel();
    }
    std::size_t got = 0;
    for (auto& fiber : fibers) got += fiber.join_uncancellable();
    EXPECT_LE(static_cast<std::int64_t>(got) - 4, (now_ns() - start) / 1000);
    EXPECT_TRUE(limiter->acquire(4)) << "nothing is lost";
    limiter.reset();
  });
}

INSTANTIATE_TEST_SUITE_P(, RateLimiterTest, test::all_placements(), test::kind_name);

}  // namespace
}  // namespace weft
