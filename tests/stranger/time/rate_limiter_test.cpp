// SPDX-License-Identifier: Apache-2.0
// Rate limiters as include/weft/rate_limiter.hpp describes them: odd rates and numbers, plain threads.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::Errc;
using weft::Rate;
using weft::RateLimiter;
using Seconds = std::chrono::duration<double>;

constexpr double kInfiniteRate = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMostPermits = std::numeric_limits<std::int64_t>::max();

TEST(Rates, ThatAreNoneAreRefused) {
  for (const double rate : {0.0, -0.0, -1.0, kInfiniteRate, -kInfiniteRate, std::nan(""), 1e300, 5e18, 1e-300,
                            std::numeric_limits<double>::denorm_min(), 1e-10})
    EXPECT_THROW(Rate{rate}, std::invalid_argument) << rate;
  EXPECT_THROW(Rate(0, 1s), std::invalid_argument);
  EXPECT_THROW(Rate(-1, 1s), std::invalid_argument);
  EXPECT_THROW(Rate(kMostPermits, 1s), std::invalid_argument);
  EXPECT_THROW(Rate(1, 0s), std::invalid_argument);
  EXPECT_THROW(Rate(1, -1s), std::invalid_argument);
  EXPECT_THROW(Rate(1, Seconds(std::nan(""))), std::invalid_argument);
  EXPECT_THROW(RateLimiter(0, 1), std::invalid_argument);
  EXPECT_THROW(RateLimiter(1, 0), std::invalid_argument);
  EXPECT_THROW(RateLimiter(1, std::size_t(-1)), std::invalid_argument);
  EXPECT_THROW(RateLimiter(1, RateLimiter::burst_max() + 1), std::invalid_argument);
}

TEST(Rates, AreTheFractionThatANumberStandsFor) {
  const auto expect = [](double number, std::int64_t permits, std::chrono::nanoseconds period) {
    const Rate rate = number;
    EXPECT_EQ(rate.permits(), permits) << number;
    EXPECT_EQ(rate.period(), period) << number;
  };
  expect(1, 1, 1s);
  expect(100, 100, 1s);
  expect(0.1, 1, 10s);
  expect(0.3, 3, 10s);
  expect(2.5, 5, 2s);
  expect(1.0 / 3, 1, 3s);
  expect(1.0 / 3600, 1, 1h);
  expect(22.0 / 7, 22, 7s);
  expect(1e9, 1'000'000'000, 1s);
  expect(1e-9, 1, std::chrono::seconds(1'000'000'000));
  expect(0x1p62, std::int64_t{1} << 62, 1s);
  const Rate minute(1000, 1min);
  EXPECT_EQ(minute.permits(), 1000);
  EXPECT_EQ(minute.period(), 1min);
  EXPECT_EQ(Rate(1, std::chrono::hours::max()).period(), std::chrono::nanoseconds::max());
}

TEST(RateLimiters, MoreThanTheBurstIsAnErrorAndNoHang) {
  stranger::in_fiber([] {
    RateLimiter limiter(1e-6, 2);
    EXPECT_EQ(limiter.burst(), 2u);
    EXPECT_EQ(limiter.rate().permits(), 1);
    EXPECT_EQ(limiter.acquire(3).error(), std::errc::invalid_argument);
    EXPECT_EQ(limiter.acquire(std::size_t(-1)).error(), std::errc::invalid_argument);
    EXPECT_FALSE(limiter.try_acquire(3));
    EXPECT_EQ(limiter.available(), 2u);
    EXPECT_TRUE(limiter.acquire(2));
    EXPECT_EQ(limiter.acquire_until(1ms).error(), Errc::timed_out);
    EXPECT_EQ(limiter.acquire_until(-1ns, 2).error(), Errc::timed_out);
    EXPECT_TRUE(limiter.acquire_until(-1ns, 0));
    EXPECT_EQ(limiter.available(), 0u);
  });
}

TEST(RateLimiters, HoldAtTheEndsOfTheirTypes) {
  stranger::in_fiber([] {
    const std::size_t most = RateLimiter::burst_max();
    for (const Rate rate :
         {Rate(Rate::permits_max(), 1ns), Rate(Rate::permits_max(), std::chrono::hours::max()), Rate(1, 1ns),
          Rate(1, std::chrono::hours::max())}) {
      RateLimiter limiter(rate, most);
      EXPECT_EQ(limiter.available(), most);
      EXPECT_TRUE(limiter.acquire(most));
      EXPECT_EQ(limiter.acquire(most + 1).error(), std::errc::invalid_argument);
    }
    RateLimiter slow(Rate(1, std::chrono::hours::max()), most);
    EXPECT_TRUE(slow.acquire(most));
    std::vector<weft::JoinHandle<weft::Result<void>>> waiters;
    for (int i = 0; i < 4; ++i) waiters.push_back(weft::spawn([&] { return slow.acquire(most); }));
    weft::yield();
    EXPECT_EQ(slow.acquire_until(1ms).error(), Errc::timed_out);
    for (auto& waiter : waiters) waiter.cancel();
    for (auto& waiter : waiters) EXPECT_EQ(waiter.join().error(), Errc::cancelled);
    RateLimiter fast(Rate(Rate::permits_max(), 1ns), most);
    EXPECT_TRUE(fast.acquire(most));
    EXPECT_TRUE(fast.acquire(most)) << "a nanosecond later";
  });
}

TEST(RateLimiters, ServePlainThreadsAndFibersTogether) {
  RateLimiter limiter(100'000, 1);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 20; ++n) EXPECT_TRUE(limiter.acquire());
    });
  }
  stranger::in_fiber(
      [&] {
        weft::TaskGroup<void> group;
        for (int i = 0; i < 3; ++i) {
          group.spawn([&]() -> weft::Result<void> {
            for (int n = 0; n < 20; ++n) {
              if (auto got = limiter.acquire(); !got) return got;
            }
            return {};
          });
        }
        EXPECT_TRUE(group.wait());
      },
      2);
  for (std::thread& thread : threads) thread.join();
}

TEST(RateLimiters, ABusyLoopNoticesACancel) {
  stranger::in_fiber([] {
    RateLimiter limiter(1e9, 1000);
    auto loop = weft::spawn([&] {
      weft::Result<void> got;
      while (got) got = limiter.acquire();
      return got;
    });
    weft::yield();
    loop.cancel();
    EXPECT_EQ(loop.join().error(), Errc::cancelled);
  });
}

TEST(RateLimiters, WhoGotPermitsMayDestroyIt) {
  stranger::in_fiber(
      [] {
        for (int i = 0; i < 50; ++i) {
          auto limiter = std::make_unique<RateLimiter>(1e6, 1);
          EXPECT_TRUE(limiter->acquire());
          auto early = weft::spawn([&] { (void)limiter->acquire_until(1us); });
          early.join_uncancellable();
          EXPECT_TRUE(limiter->acquire());
          limiter.reset();
        }
      },
      2);
}

TEST(RateLimitersDeathTest, DestroyedWhileSomebodyWaits) {
  EXPECT_DEATH(weft::run([] {
                 auto limiter = std::make_unique<RateLimiter>(0.001, 1);
                 (void)limiter->acquire();
                 weft::spawn([&] { (void)limiter->acquire(); });
                 weft::yield();
                 limiter.reset();
               }),
               "a rate limiter is destroyed while somebody waits");
}

}  // namespace
