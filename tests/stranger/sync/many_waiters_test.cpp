// SPDX-License-Identifier: Apache-2.0
// Thousands wait for one thing: each of them is told what happened, once, whatever it waited for.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <atomic>
#include <memory>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;

constexpr int kMany = 5'000;

/// Starts kMany fibers, each of which says with what its wait ended, does `happen` when all have begun, and
/// counts.
template <class Wait, class Happen, class Prepare>
void expect_all_told(weft::Result<void> with, Wait wait, Happen happen, Prepare prepare) {
  for (const std::uint32_t threads : {1U, 2U}) {
    prepare();
    std::atomic<int> begun{0}, told{0};
    stranger::in_fiber(
        [&] {
          weft::TaskGroup<void> group;
          for (int i = 0; i < kMany; ++i) {
            group.spawn([&]() -> weft::Result<void> {
              ++begun;
              const weft::Result<void> ended = wait();
              told +=
                  ended.has_value() == with.has_value() && (ended || ended.error() == with.error()) ? 1 : 0;
              return {};
            });
          }
          while (begun != kMany) weft::yield();
          happen();
          EXPECT_TRUE(group.wait());
        },
        threads);
    EXPECT_EQ(told, kMany) << threads << " threads";
  }
}

TEST(ManyWaiters, OfALatchAllGoOn) {
  std::unique_ptr<weft::Latch> latch;
  expect_all_told(
      {}, [&] { return latch->wait_until(Deadline::never()); }, [&] { latch->count_down(); },
      [&] { latch = std::make_unique<weft::Latch>(1); });
}

TEST(ManyWaiters, OfASemaphoreEachGetsOnePermit) {
  weft::Semaphore permits(0);
  expect_all_told(
      {}, [&] { return permits.acquire_until(Deadline::never()); }, [&] { permits.release(kMany); }, [] {});
  EXPECT_EQ(permits.available(), 0u);
}

// What was wrong: the unlock() that lets them in came back to the mutex when the last of them had destroyed
// it.
TEST(ManyWaiters, TheLastReaderMayDestroyTheSharedMutex) {
  for (int round = 0; round < 20; ++round) {
    constexpr int kReaders = 700;
    auto mutex = std::make_unique<weft::SharedMutex>();
    std::atomic<int> begun{0}, left{kReaders};
    stranger::in_fiber([&] {
      weft::ParallelContext others("others", {.parallelism = 2});
      mutex->lock();
      weft::TaskGroup<void> readers;
      for (int i = 0; i < kReaders; ++i) {
        readers.spawn(others, [&] {
          ++begun;
          mutex->lock_shared();
          mutex->unlock_shared();
          if (--left == 0) mutex.reset();
        });
      }
      while (begun != kReaders) weft::yield();
      mutex->unlock();
      EXPECT_TRUE(readers.wait());
    });
    EXPECT_EQ(mutex, nullptr);
  }
}

TEST(ManyWaiters, OfAChannelAllFindItClosed) {
  std::unique_ptr<weft::Channel<int>> channel;
  expect_all_told(
      Errc::closed, [&]() -> weft::Result<void> { return channel->receive().error(); },
      [&] {
        EXPECT_TRUE(channel->close());
        EXPECT_FALSE(channel->close());
      },
      [&] { channel = std::make_unique<weft::Channel<int>>(); });
}

TEST(ManyWaiters, OfAGroupThatIsCancelledAllAreCancelled) {
  for (const std::uint32_t threads : {1U, 2U}) {
    std::atomic<int> cancelled{0};
    stranger::in_fiber(
        [&] {
          weft::Latch never(1);
          weft::TaskGroup<void> group;
          for (int i = 0; i < kMany; ++i) {
            group.spawn([&]() -> weft::Result<void> {
              weft::CancelScope own(Deadline::after(1h));
              const weft::Result<void> ended = never.wait_until(Deadline::never());
              cancelled += ended.error() == Errc::cancelled ? 1 : 0;
              return ended;
            });
          }
          weft::yield();
          group.cancel();
          EXPECT_EQ(group.wait().error(), Errc::cancelled);
        },
        threads);
    EXPECT_EQ(cancelled, kMany);
  }
}

TEST(ManyWaiters, OfOneDeadlineAllTimeOutAndNoneBefore) {
  for (const std::uint32_t threads : {1U, 2U}) {
    std::atomic<int> in_time{0};
    stranger::in_fiber(
        [&] {
          const Deadline together = Deadline::after(50ms);
          weft::TaskGroup<void> group;
          for (int i = 0; i < kMany; ++i) {
            group.spawn([&] {
              static_cast<void>(weft::sleep_until(together));
              in_time += together.passed() ? 1 : 0;
            });
          }
          EXPECT_TRUE(group.wait());
        },
        threads);
    EXPECT_EQ(in_time, kMany);
  }
}

}  // namespace
