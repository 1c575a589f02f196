// SPDX-License-Identifier: Apache-2.0
#include "base/spin_lock.hpp"

#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(SpinLock, TryLockFailsWhileHeldAndSucceedsAfterwards) {
  SpinLock lock;
  ASSERT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock());
  lock.unlock();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

TEST(SpinLock, LetsOneThreadInAtATime) {
  for (int thread_count : {2, 4, 8}) {
    constexpr int kRounds = 5000;
    SpinLock lock;
    std::int64_t count = 0;  // not atomic: a second thread inside would lose increments (and TSan would tell)
    std::vector<std::thread> threads;
    for (int i = 0; i < thread_count; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < kRounds; ++round) {
          const std::scoped_lock hold(lock);
          ++count;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(count, std::int64_t{thread_count} * kRounds);
  }
}

TEST(SpinLock, AWaiterGetsInWhenTheHolderLeaves) {
  SpinLock lock;
  lock.lock();
  Atomic<bool> started{false};
  bool entered = false;  // guarded by `lock`
  std::thread waiter([&] {
    started.store(true, relaxed);
    const std::scoped_lock hold(lock);
    entered = true;
  });
  while (!started.load(relaxed)) std::this_thread::yield();
  EXPECT_FALSE(entered);
  lock.unlock();
  waiter.join();
  EXPECT_TRUE(entered);
}

}  // namespace
}  // namespace weft
