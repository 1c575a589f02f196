// SPDX-License-Identifier: Apache-2.0
#include <weft/semaphore.hpp>

#include "base/atomic.hpp"
#include "support/sleeper.hpp"

#include <weft/this_fiber.hpp>

#include <memory>
#include <mutex>
#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::spawn_suspended;
using test::until;

class SemaphoreTest : public test::WaitingInEveryContext {};
WEFT_UNDER_EVERY_CONTEXT(SemaphoreTest);

TEST_P(SemaphoreTest, HasAsManyPermitsAsItWasGiven) {
  run([] {
    Semaphore semaphore(2);
    EXPECT_EQ(semaphore.available(), 2u);
    EXPECT_TRUE(semaphore.try_acquire());
    semaphore.acquire_uncancellable();
    EXPECT_FALSE(semaphore.try_acquire());
    semaphore.release();
    EXPECT_TRUE(semaphore.try_acquire());
    semaphore.release(5);
    EXPECT_EQ(semaphore.available(), 5u);
  });
}

TEST_P(SemaphoreTest, LetsInAsManyAtATimeAsItHasPermits) {
  constexpr int kPermits = 3;
  Semaphore semaphore(kPermits);
  Atomic<int> inside{0};
  ConcurrentContext other("other");
  const auto work = [&](bool fiber) {
    for (int i = 0; i < 200; ++i) {
      semaphore.acquire_uncancellable();
      EXPECT_LE(inside.fetch_add(1) + 1, kPermits);
      if (fiber && i % 4 == 0) yield();
      inside.fetch_sub(1);
      semaphore.release();
    }
  };
  std::vector<JoinHandle<void>> fibers;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    fibers.push_back(context().spawn([&] { work(true); }));
    fibers.push_back(other.spawn([&] { work(true); }));
  }
  for (int i = 0; i < 2; ++i) threads.emplace_back([&] { work(false); });
  for (auto& fiber : fibers) fiber.join_uncancellable();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(semaphore.available(), 3u);
}

TEST_P(SemaphoreTest, WaitersGetPermitsInTheirOrderAndNobodyPassesThem) {
  run([&] {
    Semaphore semaphore(0);
    std::mutex log_mutex;
    std::vector<int> order;
    std::vector<JoinHandle<void>> waiters;
    for (int i = 0; i < 4; ++i) {
      waiters.push_back(spawn_suspended(context(), [&, i] {
        semaphore.acquire_uncancellable();
        const std::scoped_lock lock(log_mutex);
        order.push_back(i);
      }));
    }
    for (auto& waiter : waiters) {
      semaphore.release();
      EXPECT_FALSE(semaphore.try_acquire());  // it is the waiter's already
      waiter.join_uncancellable();
    }
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
  });
}

TEST_P(SemaphoreTest, OneReleaseOfManyWakesThatManyAndKeepsTheRest) {
  run([&] {
    Semaphore semaphore(0);
    std::vector<JoinHandle<void>> waiters;
    for (int i = 0; i < 3; ++i)
      waiters.push_back(spawn_suspended(context(), [&] { semaphore.acquire_uncancellable(); }));
    semaphore.release(5);
    for (auto& waiter : waiters) waiter.join_uncancellable();
    EXPECT_EQ(semaphore.available(), 2u);
  });
}

TEST_P(SemaphoreTest, AcquireUntilGivesUpAndTakesNothing) {
  run([&] {
    Semaphore semaphore(0);
    EXPECT_EQ(semaphore.acquire_until(Deadline::after(1ms)).error(), Errc::timed_out);
    auto cancelled = spawn_suspended(context(), [&] { return semaphore.acquire_until(Deadline::never()); });
    cancelled.cancel();
    EXPECT_EQ(cancelled.join_uncancellable().error(), Errc::cancelled);
    semaphore.release();
    EXPECT_EQ(semaphore.available(), 1u);
    EXPECT_TRUE(semaphore.acquire_until(Deadline::after(-1s)));
  });
}

TEST_P(SemaphoreTest, APermitGoesPastACancelledWaiterToTheNext) {
  run([&] {
    Semaphore semaphore(0);
    auto cancelled = spawn_suspended(context(), [&] { return semaphore.acquire_until(Deadline::never()); });
    auto next = spawn_suspended(context(), [&] { semaphore.acquire_uncancellable(); });
    cancelled.cancel();
    semaphore.release();
    next.join_uncancellable();
    EXPECT_EQ(cancelled.join_uncancellable().error(), Errc::cancelled);
    EXPECT_EQ(semaphore.available(), 0u);
  });
}

TEST_P(SemaphoreTest, AcquireIsNotCancellable) {
  run([&] {
    Semaphore semaphore(0);
    auto waiter = spawn_suspended(context(), [&] { semaphore.acquire_uncancellable(); });
    waiter.cancel();
    yield();
    EXPECT_FALSE(waiter.done());
    semaphore.release();
    waiter.join_uncancellable();
  });
}

TEST_P(SemaphoreTest, PermitsAreNeitherLostNorMadeByTimeoutsAndCancels) {
  Semaphore semaphore(2);
  std::vector<JoinHandle<void>> fibers;
  for (int i = 0; i < 8; ++i) {
    fibers.push_back(context().spawn([&, i] {
      for (int round = 0; round < 150; ++round) {
        if (!semaphore.acquire_until(Deadline::after_ns((i * 37 + round) % 40 * 1000))) continue;
        if (round % 4 == 0) yield();
        semaphore.release();
      }
    }));
  }
  fibers[1].cancel();
  for (auto& fiber : fibers) fiber.join_uncancellable();
  EXPECT_EQ(semaphore.available(), 2u);
}

// sync.md, "the last touch".
TEST_P(SemaphoreTest, MayBeDestroyedByTheOneThatItWoke) {
  for (int round = 0; round < 300; ++round) {
    auto semaphore = std::make_unique<Semaphore>(0);
    auto releaser = context().spawn([raw = semaphore.get()] { raw->release(); });
    context()
        .spawn([&] {
          semaphore->acquire_uncancellable();
          semaphore.reset();
        })
        .join_uncancellable();
    releaser.join_uncancellable();
  }
}

TEST(SemaphoreDeathTest, TooManyPermitsAreABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(Semaphore(Semaphore::max()).release(), "BUG: too many permits");
}

}  // namespace
}  // namespace weft
