// SPDX-License-Identifier: Apache-2.0
#include <weft/mutex.hpp>

#include "fiber/baton.hpp"
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

class MutexTest : public test::WaitingInEveryContext {};
WEFT_UNDER_EVERY_CONTEXT(MutexTest);

/// A fiber that waits for the mutex, and says when it has had it.
JoinHandle<void> spawn_waiter(ExecutionContext& context, Mutex& mutex, bool& locked) {
  return spawn_suspended(context, [&] {
    const std::scoped_lock lock(mutex);
    locked = true;
  });
}

/// Counts without atomics, so that two at a time are seen, by TSan too.
struct Guarded {
  Mutex mutex;
  int inside = 0;
  long count = 0;

  void work(int rounds, bool suspend_inside = false) {
    for (int i = 0; i < rounds; ++i) {
      const std::scoped_lock lock(mutex);
      EXPECT_EQ(inside++, 0);
      if (suspend_inside && i % 8 == 0) yield();
      ++count;
      --inside;
    }
  }
};

TEST_P(MutexTest, LocksOutOthersUntilItIsUnlocked) {
  run([&] {
    Mutex mutex;
    EXPECT_TRUE(mutex.try_lock());
    spawn([&] { EXPECT_FALSE(mutex.try_lock()); }).join_uncancellable();
    bool locked = false;
    auto second = spawn_suspended(context(), [&] {
      mutex.lock();
      locked = true;
      mutex.unlock();
    });
    EXPECT_FALSE(locked);
    mutex.unlock();
    second.join_uncancellable();
    EXPECT_TRUE(locked);
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
  });
}

TEST_P(MutexTest, WorksWithTheLocksOfTheStandardLibrary) {
  run([] {
    Mutex a, b;
    {
      const std::scoped_lock both(a, b);
      spawn([&] { EXPECT_FALSE(a.try_lock() || b.try_lock()); }).join_uncancellable();
    }
    std::unique_lock lock(a, std::try_to_lock);
    EXPECT_TRUE(lock.owns_lock());
    lock.unlock();
    const std::lock_guard guard(a);
  });
}

TEST_P(MutexTest, LetsOneInAtATime) {
  constexpr int kFibers = 16;
  constexpr int kRounds = 200;
  Guarded guarded;
  std::vector<JoinHandle<void>> fibers;
  for (int i = 0; i < kFibers; ++i) fibers.push_back(context().spawn([&] { guarded.work(kRounds, true); }));
  for (auto& fiber : fibers) fiber.join_uncancellable();
  EXPECT_EQ(guarded.count, kFibers * kRounds);
}

TEST_P(MutexTest, IsSharedByFibersOfTwoContextsAndPlainThreads) {
  constexpr int kRounds = 1000;
  Guarded guarded;
  ConcurrentContext other("other");
  std::vector<JoinHandle<void>> fibers;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    fibers.push_back(context().spawn([&] { guarded.work(kRounds, true); }));
    fibers.push_back(other.spawn([&] { guarded.work(kRounds, true); }));
    threads.emplace_back([&] { guarded.work(kRounds); });
  }
  for (auto& fiber : fibers) fiber.join_uncancellable();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(guarded.count, 9 * kRounds);
}

TEST_P(MutexTest, AFiberMayHoldItWhileItIsSuspendedAndChangesItsThread) {
  run([&] {
    Mutex mutex;
    Baton go;
    auto holder = context().spawn([&] {
      const std::scoped_lock lock(mutex);
      for (int i = 0; i < 50; ++i) yield();
      go.take();
    });
    until([&] { return !mutex.try_lock() || (mutex.unlock(), false); });
    auto waiter = spawn_suspended(context(), [&] { const std::scoped_lock lock(mutex); });
    go.give();
    holder.join_uncancellable();
    waiter.join_uncancellable();
  });
}

TEST_P(MutexTest, WaitersGetItInTheirOrder) {
  run([&] {
    Mutex mutex;
    std::vector<int> order;
    std::vector<JoinHandle<void>> waiters;
    mutex.lock();
    for (int i = 0; i < 5; ++i) {
      waiters.push_back(spawn_suspended(context(), [&, i] {
        const std::scoped_lock lock(mutex);
        order.push_back(i);
      }));
    }
    mutex.unlock();
    for (auto& waiter : waiters) waiter.join_uncancellable();
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
  });
}

TEST_P(MutexTest, ARunningFiberBargesPastAWokenWaiter) {
  run([&] {
    Mutex mutex;
    bool locked = false;
    mutex.lock();
    ConcurrentContext other("other");
    // The waiter's own thread is kept busy: woken, it cannot run.
    auto waiter = spawn_waiter(other, mutex, locked);
    test::Flag blocked, unblock;
    auto blocker = other.spawn([&] {
      blocked.set();
      EXPECT_TRUE(unblock.wait());
    });
    until([&] { return blocked.is_set(); });
    mutex.unlock();
    for (int i = 0; i < 200; ++i) {
      EXPECT_TRUE(mutex.try_lock());
      mutex.unlock();
      mutex.lock();
      EXPECT_FALSE(locked);
      mutex.unlock();
    }
    unblock.set();
    blocker.join_uncancellable();
    waiter.join_uncancellable();
    EXPECT_TRUE(locked);
  });
}

TEST_P(MutexTest, AWaiterIsHandedTheMutexAfterItLostFourTimes) {
  run([&] {
    Mutex mutex;
    bool locked = false;
    mutex.lock();
    auto waiter = spawn_waiter(context(), mutex, locked);
    // A fiber that suspends only while it holds the mutex: the waiter finds it taken each time.
    int rounds = 0;
    for (; rounds < 1'000'000 && !locked; ++rounds) {
      mutex.unlock();
      mutex.lock();
      yield();
    }
    EXPECT_TRUE(locked);
    // In a context of one thread it runs once a round.
    if (!parallel()) {
      EXPECT_LE(rounds, 6);
    }
    mutex.unlock();
    waiter.join_uncancellable();
  });
}

TEST_P(MutexTest, AFiberThatNeverSuspendsLetsAWokenWaiterHaveItsTurn) {
  run([&] {
    Mutex mutex;
    bool locked = false;
    mutex.lock();
    auto waiter = spawn_waiter(context(), mutex, locked);
    mutex.unlock();
    for (bool seen = false; !seen;) {
      const std::scoped_lock lock(mutex);
      seen = locked;
    }
    waiter.join_uncancellable();
  });
}

TEST_P(MutexTest, LockUntilGivesUpAtTheDeadline) {
  run([&] {
    Mutex mutex;
    mutex.lock();
    spawn([&] {
      EXPECT_EQ(mutex.lock_until(Deadline::after(-1s)).error(), Errc::timed_out);
      EXPECT_EQ(mutex.lock_until(Deadline::after(1ms)).error(), Errc::timed_out);
      EXPECT_FALSE(mutex.try_lock());
    }).join_uncancellable();
    mutex.unlock();
    EXPECT_TRUE(mutex.lock_until(Deadline::after(-1s)));  // free: the deadline does not matter
    mutex.unlock();
  });
}

TEST_P(MutexTest, LockUntilGivesUpWhenCancelledAndTheNextWaiterGoesOn) {
  run([&] {
    Mutex mutex;
    mutex.lock();
    auto cancelled = spawn_suspended(context(), [&] { return mutex.lock_until(Deadline::never()); });
    auto next = spawn_suspended(context(), [&] {
      const Result<void> locked = mutex.lock_until(Deadline::never());
      mutex.unlock();
      return locked;
    });
    cancelled.cancel();
    EXPECT_EQ(cancelled.join_uncancellable().error(), Errc::cancelled);
    EXPECT_FALSE(next.done());
    mutex.unlock();
    EXPECT_TRUE(next.join_uncancellable());
  });
}

TEST_P(MutexTest, LockIsNotCancellable) {
  run([&] {
    Mutex mutex;
    mutex.lock();
    bool locked = false;
    auto waiter = spawn_suspended(context(), [&] {
      mutex.lock();
      EXPECT_TRUE(this_fiber::cancel_requested());
      locked = true;
      mutex.unlock();
      EXPECT_TRUE(mutex.lock_until(Deadline::never()));  // free: sticky or not
      mutex.unlock();
    });
    waiter.cancel();
    yield();
    EXPECT_FALSE(locked);
    mutex.unlock();
    waiter.join_uncancellable();
  });
}

TEST_P(MutexTest, APlainThreadWaitsWithADeadlineToo) {
  run([&] {
    Mutex mutex;
    mutex.lock();
    test::Flag gave_up;
    std::thread thread([&] {
      EXPECT_EQ(mutex.lock_until(Deadline::after(1ms)).error(), Errc::timed_out);
      gave_up.set();
      EXPECT_TRUE(mutex.lock_until(Deadline::never()));
      mutex.unlock();
    });
    until([&] { return gave_up.is_set(); });
    mutex.unlock();
    thread.join();
  });
}

// mutex.md, "the last touch": whoever locks next may destroy it, while the unlock before is not back yet.
TEST_P(MutexTest, MayBeDestroyedAsSoonAsItWasLockedAndUnlockedAgain) {
  for (int round = 0; round < 300; ++round) {
    auto mutex = std::make_unique<Mutex>();
    Baton locked;
    auto first = context().spawn([&, raw = mutex.get()] {
      raw->lock();
      locked.give();
      if (round % 2 == 0) yield();
      raw->unlock();
    });
    context()
        .spawn([&] {
          locked.take();
          mutex->lock();
          mutex->unlock();
          mutex.reset();
        })
        .join_uncancellable();
    first.join_uncancellable();
  }
}

TEST_P(MutexTest, TimeoutsCancelsAndUnlocksThatMeetLoseNothing) {
  constexpr int kFibers = 8;
  constexpr int kRounds = 150;
  Guarded guarded;
  Atomic<int> got{0};
  std::vector<JoinHandle<void>> fibers;
  for (int i = 0; i < kFibers; ++i) {
    fibers.push_back(context().spawn([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        if (!guarded.mutex.lock_until(Deadline::after_ns((i * 37 + round) % 50 * 1000))) continue;
        EXPECT_EQ(guarded.inside++, 0);
        if (round % 4 == 0) yield();
        --guarded.inside;
        ++got;
        guarded.mutex.unlock();
      }
    }));
  }
  for (int i = 0; i < kFibers; i += 3) fibers[static_cast<std::size_t>(i)].cancel();
  for (auto& fiber : fibers) fiber.join_uncancellable();
  EXPECT_GT(got, 0);
  EXPECT_TRUE(guarded.mutex.try_lock());  // nobody holds it, nobody stands in the queue
  guarded.mutex.unlock();
}

TEST(MutexDeathTest, UnlockOfAnUnlockedMutexIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Mutex mutex;
        mutex.unlock();
      },
      "BUG: unlock.. of a mutex that is not locked");
  EXPECT_DEATH(
      {
        Mutex mutex;
        mutex.lock();
        mutex.unlock();
        mutex.unlock();
      },
      "BUG: unlock.. of a mutex that is not locked");
}

#if WEFT_CHECK_LOCKS
TEST(MutexDeathTest, AFiberThatLocksWhatItHoldsIsReportedByName) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto lock_twice = [] {
    ConcurrentContext context("context");
    Mutex mutex;
    context
        .spawn(
            [&] {
              mutex.lock();
              mutex.lock();
            },
            {.name = "forgetful"})
        .join_uncancellable();
  };
  EXPECT_DEATH(lock_twice(), "in the fiber \"forgetful\":\nBUG: self-deadlock");
  const auto lock_until_twice = [] {
    Mutex mutex;
    mutex.lock();
    static_cast<void>(mutex.lock_until(Deadline::never()));
  };
  EXPECT_DEATH(lock_until_twice(), "on a plain thread:\nBUG: self-deadlock");
}

TEST(MutexDeathTest, UnlockByAStrangerIsReportedByName) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto unlock_of_others = [] {
    ConcurrentContext context("context");
    Mutex mutex;
    mutex.lock();
    context.spawn([&] { mutex.unlock(); }, {.name = "stranger"}).join_uncancellable();
  };
  EXPECT_DEATH(unlock_of_others(), "in the fiber \"stranger\":\nBUG: unlock.. of a mutex by somebody");
}

TEST(MutexDeathTest, DestructionOfALockedMutexIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto destroy_locked = [] {
    Mutex mutex;
    mutex.lock();
  };
  EXPECT_DEATH(destroy_locked(), "BUG: a mutex is destroyed while it is locked");
}
#endif

TEST(MutexLayout, IsAWordAndNeedsNoInitialization) {
  static constinit Mutex mutex;
  static_assert(WEFT_CHECK_LOCKS || sizeof(Mutex) == 8);
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

}  // namespace
}  // namespace weft
