// SPDX-License-Identifier: Apache-2.0
// Values of the synchronization classes around waits that were given up.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <mutex>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;

TEST(Semaphore, EveryPermitIsCountedAfterACancel) {
  stranger::in_fiber([] {
    weft::Semaphore semaphore(2);
    EXPECT_TRUE(semaphore.acquire());
    EXPECT_TRUE(semaphore.acquire());
    EXPECT_EQ(semaphore.available(), 0u);
    std::vector<weft::JoinHandle<weft::Result<void>>> waiters;
    for (int i = 0; i < 3; ++i) waiters.push_back(weft::spawn([&] { return semaphore.acquire(); }));
    weft::yield();
    waiters[1].cancel();
    semaphore.release(3);
    EXPECT_TRUE(waiters[0].join());
    EXPECT_EQ(waiters[1].join().error(), Errc::cancelled);
    EXPECT_TRUE(waiters[2].join());
    EXPECT_EQ(semaphore.available(), 1u);
  });
}

TEST(Semaphore, IsForPlainThreadsToo) {
  weft::Semaphore semaphore(0);
  std::thread releaser([&] { semaphore.release(); });
  EXPECT_TRUE(semaphore.acquire());
  releaser.join();
  EXPECT_EQ(semaphore.acquire_until(Deadline::after(1ms)).error(), Errc::timed_out);
  EXPECT_EQ(semaphore.available(), 0u);
}

TEST(WaitGroup, ItsCountIsAsBeforeAWaitThatWasGivenUp) {
  stranger::in_fiber([] {
    weft::WaitGroup group(2);
    EXPECT_EQ(weft::with_timeout(1ms, [&] { return group.wait(); }).error(), Errc::timed_out);
    EXPECT_EQ(group.count(), 2);
    group.add(-2);
    EXPECT_TRUE(group.wait());
    group.add();
    EXPECT_EQ(group.wait_until(Deadline::after(1ms)).error(), Errc::timed_out);
    group.done();
    EXPECT_TRUE(group.wait());
  });
}

TEST(Latch, AnArrivalCountsAlsoIfTheWaitIsGivenUp) {
  stranger::in_fiber([] {
    weft::Latch latch(2);
    EXPECT_EQ(weft::with_timeout(1ms, [&] { return latch.arrive_and_wait(); }).error(), Errc::timed_out);
    EXPECT_FALSE(latch.try_wait());
    EXPECT_TRUE(latch.arrive_and_wait()) << "the second of two";
    EXPECT_TRUE(latch.try_wait());
    weft::Latch own(1);
    own.arrive_and_wait_uncancellable();
    EXPECT_TRUE(own.try_wait());
    weft::Latch late(2);
    EXPECT_EQ(late.arrive_and_wait_until(Deadline::after(1ms)).error(), Errc::timed_out);
  });
}

TEST(ConditionVariable, TheMutexIsLockedAgainAfterACancel) {
  stranger::in_fiber([] {
    weft::Mutex mutex;
    weft::ConditionVariable changed;
    std::unique_lock lock(mutex);
    weft::CancelScope scope;
    auto other = weft::spawn([&] {
      const std::scoped_lock own(mutex);  // free while the wait goes on
      scope.cancel();
    });
    EXPECT_EQ(changed.wait(lock).error(), Errc::cancelled);
    EXPECT_TRUE(lock.owns_lock());
    EXPECT_FALSE(mutex.try_lock());
    EXPECT_TRUE(changed.wait(lock, [] { return true; })) << "what it waits for is there";
    lock.unlock();
    other.join_uncancellable();
  });
}

TEST(ConditionVariable, ANotificationGoesToOneThatStillWaits) {
  stranger::in_fiber([] {
    weft::Mutex mutex;
    weft::ConditionVariable changed;
    const auto wait = [&] {
      std::unique_lock lock(mutex);
      return changed.wait(lock);
    };
    auto first = weft::spawn(wait);
    auto second = weft::spawn(wait);
    weft::yield();
    first.cancel();
    changed.notify_one();
    EXPECT_EQ(first.join().error(), Errc::cancelled);
    EXPECT_TRUE(second.join());
  });
}

// The lockables of the standard cannot fail; their other spelling can.
TEST(Mutex, LocksInACancelledFiberAndLockUntilGivesUp) {
  stranger::in_fiber([] {
    weft::Mutex mutex;
    weft::SharedMutex shared;
    mutex.lock();
    shared.lock();
    int locked = 0;
    auto fiber = weft::spawn([&] {
      weft::CancelScope scope;
      scope.cancel();
      EXPECT_EQ(mutex.lock_until(Deadline::never()).error(), Errc::cancelled);
      EXPECT_EQ(shared.lock_until(Deadline::never()).error(), Errc::cancelled);
      EXPECT_EQ(shared.lock_shared_until(Deadline::never()).error(), Errc::cancelled);
      const std::scoped_lock both(mutex, shared);
      ++locked;
    });
    weft::yield();
    EXPECT_EQ(locked, 0);
    shared.unlock();
    mutex.unlock();
    EXPECT_TRUE(fiber.join());
    EXPECT_EQ(locked, 1);
  });
}

}  // namespace
