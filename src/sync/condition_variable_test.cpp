// SPDX-License-Identifier: Apache-2.0
#include <weft/condition_variable.hpp>

#include "base/atomic.hpp"
#include "support/sleeper.hpp"

#include <weft/this_fiber.hpp>

#include <deque>
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

class ConditionVariableTest : public test::WaitingInEveryContext {
 protected:
  /// A fiber that waits to be notified, once; then it logs its number.
  auto waiter(int number) {
    return spawn_suspended(context(), [this, number] {
      std::unique_lock lock(mutex);
      changed.wait_uncancellable(lock);
      EXPECT_TRUE(lock.owns_lock());
      woken.push_back(number);
    });
  }
  auto giving_up() {
    return spawn_suspended(context(), [this] {
      std::unique_lock lock(mutex);
      const Result<void> notified = changed.wait_until(lock, Deadline::never());
      EXPECT_TRUE(lock.owns_lock());
      return notified;
    });
  }
  std::size_t woken_count() {
    const std::scoped_lock lock(mutex);
    return woken.size();
  }

  Mutex mutex;
  ConditionVariable changed;
  std::vector<int> woken;
};
WEFT_UNDER_EVERY_CONTEXT(ConditionVariableTest);

TEST_P(ConditionVariableTest, NotifyOneWakesOneAfterTheOtherInTheirOrder) {
  run([&] {
    std::vector<JoinHandle<void>> waiters;
    for (int i = 0; i < 4; ++i) waiters.push_back(waiter(i));
    for (std::size_t i = 0; i < waiters.size(); ++i) {
      EXPECT_EQ(woken_count(), i);
      changed.notify_one();
      waiters[i].join_uncancellable();
    }
    EXPECT_EQ(woken, (std::vector{0, 1, 2, 3}));
  });
}

TEST_P(ConditionVariableTest, NotifyAllWakesAll) {
  run([&] {
    std::vector<JoinHandle<void>> waiters;
    for (int i = 0; i < 5; ++i) waiters.push_back(waiter(i));
    changed.notify_all();
    for (auto& fiber : waiters) fiber.join_uncancellable();
    EXPECT_EQ(woken.size(), 5u);
  });
}

TEST_P(ConditionVariableTest, ANotificationWithoutWaitersIsNotKept) {
  run([&] {
    changed.notify_one();
    changed.notify_all();
    auto fiber = waiter(1);
    EXPECT_EQ(woken_count(), 0u);
    changed.notify_one();
    fiber.join_uncancellable();
  });
}

TEST_P(ConditionVariableTest, WaitsForAPredicate) {
  run([&] {
    bool ready = false;
    auto fiber = spawn_suspended(context(), [&] {
      std::unique_lock lock(mutex);
      changed.wait_uncancellable(lock, [&] { return ready; });
      EXPECT_TRUE(ready);
    });
    changed.notify_one();  // for nothing
    {
      const std::scoped_lock lock(mutex);
      ready = true;
    }
    changed.notify_one();
    fiber.join_uncancellable();
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_until(lock, Deadline::after(-1s), [&] { return ready; }));
    EXPECT_EQ(changed.wait_until(lock, Deadline::after(1ms), [] { return false; }).error(), Errc::timed_out);
  });
}

TEST_P(ConditionVariableTest, WaitUntilLocksAgainAfterADeadlineAndACancel) {
  run([&] {
    {
      std::unique_lock lock(mutex);
      EXPECT_EQ(changed.wait_until(lock, Deadline::after(1ms)).error(), Errc::timed_out);
      EXPECT_TRUE(lock.owns_lock());
    }
    auto cancelled = giving_up();
    mutex.lock();  // it has to wait for that
    cancelled.cancel();
    yield();
    EXPECT_FALSE(cancelled.done());
    mutex.unlock();
    EXPECT_EQ(cancelled.join_uncancellable().error(), Errc::cancelled);
  });
}

TEST_P(ConditionVariableTest, WaitIsNotCancellable) {
  run([&] {
    auto fiber = waiter(1);
    fiber.cancel();
    yield();
    EXPECT_EQ(woken_count(), 0u);
    changed.notify_one();
    fiber.join_uncancellable();
  });
}

// condition-variable.md, "the notification of one that is gone".
TEST_P(ConditionVariableTest, ANotificationGoesPastACancelledWaiterToTheNext) {
  run([&] {
    mutex.lock();
    mutex.unlock();
    auto cancelled = giving_up();
    auto next = waiter(2);
    mutex.lock();  // the cancelled waiter cannot lock again, but it is not to be notified either
    cancelled.cancel();
    changed.notify_one();
    mutex.unlock();
    next.join_uncancellable();
    EXPECT_EQ(cancelled.join_uncancellable().error(), Errc::cancelled);
  });
}

TEST_P(ConditionVariableTest, NoNotificationIsLostAmongWaitersThatGiveUp) {
  constexpr int kItems = 400;
  int items = 0;
  int taken = 0;
  const auto take_one = [&](Deadline deadline) {
    std::unique_lock lock(mutex);
    if (taken == kItems || !changed.wait_until(lock, deadline, [&] { return items > 0; })) return;
    --items;
    ++taken;
  };
  const auto all_taken = [&] {
    const std::scoped_lock lock(mutex);
    return taken == kItems;
  };
  std::vector<JoinHandle<void>> impatient;
  for (int i = 0; i < 4; ++i) {
    impatient.push_back(context().spawn([&] {
      for (int turn = 0; !this_fiber::cancel_requested(); ++turn) {
        take_one(Deadline::after_ns(turn * 7919 % 30'000));
        yield();
      }
    }));
  }
  // Notified for each item once: an item that stays behind while this one waits was notified in vain.
  auto patient = context().spawn([&] {
    for (int own = 0; !all_taken() && own < kItems; ++own) take_one(Deadline::never());
  });
  for (int i = 0; i < kItems; ++i) {
    {
      const std::scoped_lock lock(mutex);
      ++items;
    }
    changed.notify_one();
  }
  for (auto& fiber : impatient) fiber.cancel();
  for (auto& fiber : impatient) fiber.join_uncancellable();
  until([&] {
    const std::scoped_lock lock(mutex);
    return items == 0;
  });
  {
    const std::scoped_lock lock(mutex);
    items = 1;  // for the patient one, if it waits for more than there was
    EXPECT_EQ(taken, kItems);
    taken = kItems - 1;
  }
  changed.notify_one();
  patient.join_uncancellable();
}

// Crystal's and Go's: a queue between fibers of two contexts and plain threads.
TEST_P(ConditionVariableTest, CarriesAQueueBetweenContextsAndPlainThreads) {
  constexpr long kItems = 600;
  std::deque<long> queue;
  long sum = 0;
  const auto produce = [&](long first) {
    for (long i = 0; i < kItems; ++i) {
      const std::scoped_lock lock(mutex);
      queue.push_back(first + i);
      changed.notify_one();
    }
  };
  const auto consume = [&] {
    for (long i = 0; i < kItems; ++i) {
      std::unique_lock lock(mutex);
      changed.wait_uncancellable(lock, [&] { return !queue.empty(); });
      sum += queue.front();
      queue.pop_front();
    }
  };
  ConcurrentContext other("other");
  auto a = context().spawn([&] { consume(); });
  auto b = other.spawn([&] { consume(); });
  std::thread c([&] { consume(); });
  auto d = context().spawn([&] { produce(0); });
  auto e = other.spawn([&] { produce(kItems); });
  std::thread f([&] { produce(2 * kItems); });
  a.join_uncancellable();
  b.join_uncancellable();
  c.join();
  d.join_uncancellable();
  e.join_uncancellable();
  f.join();
  EXPECT_EQ(sum, 3 * kItems * (3 * kItems - 1) / 2);
}

// Go's TestCondSignalGenerations, in one context of one thread.
TEST_P(ConditionVariableTest, WhoWaitsAgainStandsBehindTheOthers) {
  run([&] {
    std::vector<JoinHandle<void>> waiters;
    for (int i = 0; i < 3; ++i) {
      waiters.push_back(spawn_suspended(context(), [&, i] {
        std::unique_lock lock(mutex);
        for (int round = 0; round < 2; ++round) {
          changed.wait_uncancellable(lock);
          woken.push_back(i);
        }
      }));
    }
    for (std::size_t i = 1; i <= 6; ++i) {
      changed.notify_one();
      until([&] { return woken_count() == i; });
      const std::scoped_lock lock(mutex);  // whoever was woken waits again by now
    }
    for (auto& fiber : waiters) fiber.join_uncancellable();
    EXPECT_EQ(woken, (std::vector{0, 1, 2, 0, 1, 2}));
  });
}

TEST_P(ConditionVariableTest, MayBeDestroyedOnceAllAreNotified) {
  for (int round = 0; round < 200; ++round) {
    auto condition = std::make_unique<ConditionVariable>();
    bool ready = false;
    auto notifier = context().spawn([&, raw = condition.get()] {
      const std::scoped_lock lock(mutex);
      ready = true;
      raw->notify_all();
    });
    context()
        .spawn([&] {
          {
            std::unique_lock lock(mutex);
            condition->wait_uncancellable(lock, [&] { return ready; });
          }
          condition.reset();
        })
        .join_uncancellable();
    notifier.join_uncancellable();
  }
}

TEST(ConditionVariableDeathTest, WaitingWithoutTheMutexIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto wait_unlocked = [] {
    Mutex mutex;
    ConditionVariable changed;
    std::unique_lock lock(mutex, std::defer_lock);
    changed.wait_uncancellable(lock);
  };
  EXPECT_DEATH(wait_unlocked(), "BUG: a condition variable is waited for without its mutex");
}

}  // namespace
}  // namespace weft
