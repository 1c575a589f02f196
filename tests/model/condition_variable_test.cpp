// SPDX-License-Identifier: Apache-2.0
// The condition variable (docs/design/sync.md), with the shipping source: notify against unlock and wait.
#include "model/bounds.hpp"
#include "model/runtime/fibers.hpp"
#include "sync/wait_queue.hpp"

#include <weft/condition_variable.hpp>

#include <mutex>

namespace weft {
namespace {

using Cancellable = WaitWord::Cancellable;
using model::FailureKind;
using model::ModelFibers;

/// A flag under a mutex, one that waits for it and one that sets it.
template <class Wait, class Notify>
void wait_meets_notify(ModelFibers& fibers, Wait wait, Notify notify) {
  Mutex mutex;
  model::name(mutex, "mutex");
  model::Plain<bool> ready(false);
  model::run({{"waiter", fibers.fiber(0,
                                      [&] {
                                        std::unique_lock lock(mutex);
                                        while (!ready) wait(lock);
                                      })},
              {"notifier", fibers.fiber(1, [&] {
                 {
                   const std::scoped_lock lock(mutex);
                   ready = true;
                 }
                 notify();
               })}});
  model::check(mutex.try_lock(), "free");
  mutex.unlock();
}

TEST(ModelConditionVariable, ANotificationAfterTheChangeIsNeverLost) {
  ModelFibers fibers;
  for (const bool all : {false, true}) {
    model::expect_holds(model::always_bounded(3), [&] {
      ConditionVariable changed;
      model::name(changed, "changed");
      wait_meets_notify(
          fibers, [&](std::unique_lock<Mutex>& lock) { changed.wait_uncancellable(lock); },
          [&] { all ? changed.notify_all() : changed.notify_one(); });
    });
  }
}

/// Unlocks before it stands in the queue.
void planted_wait(detail::WaitQueue& queue, std::unique_lock<Mutex>& lock) {
  QueueNode own;
  wait_in_queue(
      own, {}, Cancellable::kNo, Deadline::never(),
      [&](QueueNode& node) {
        lock.unlock();
        WaitChain chain = queue.lock();
        chain.push_back(node);
        queue.unlock(chain);
        return true;
      },
      [](QueueNode&) {});
  lock.lock();
}

void notify_first(detail::WaitQueue& queue) {
  if (queue.idle()) return;
  WaitChain chain = queue.lock();
  QueueNode* const won = chain.win_first();
  queue.unlock(chain);
  if (won != nullptr) won->waiter->wake();
}

TEST(ModelConditionVariable, PlantedAnUnlockBeforeTheWaiterQueuesIsFound) {
  ModelFibers fibers;
  model::expect_fails(model::always_bounded(3), FailureKind::kDeadlock, [&] {
    detail::WaitQueue queue;
    wait_meets_notify(
        fibers, [&](std::unique_lock<Mutex>& lock) { planted_wait(queue, lock); },
        [&] { notify_first(queue); });
  });
}

/// Two waiters for two items, one of them cancelled. `notify` is called once for each item.
template <class Notify>
void notify_meets_cancel(ModelFibers& fibers, Notify notify) {
  Mutex mutex;
  ConditionVariable changed;
  model::Plain<int> items(0);
  int taken = 0;
  const auto takes = [&](bool cancellable) {
    std::unique_lock lock(mutex);
    while (items == 0) {
      if (!cancellable) {
        changed.wait_uncancellable(lock);
      } else if (!changed.wait_until(lock, Deadline::never()) && items == 0) {
        return;
      }
    }
    items = items - 1;
    ++taken;
  };
  model::run({{"waiter", fibers.fiber(0, [&] { takes(false); })},
              {"cancelled", fibers.fiber(1, [&] { takes(true); })},
              {"notifier",
               [&] {
                 for (int i = 0; i < 2; ++i) {
                   {
                     while (!mutex.try_lock()) cpu_relax();  // one plain thread may wait, and it is another
                     items = items + 1;
                     mutex.unlock();
                   }
                   notify(changed);
                 }
               }},
              {"canceller", [&] { fibers[1].cancel(); }}});
  model::check(taken + items == 2 && taken >= 1, "each item is somebody's, or is left");
}

TEST(ModelConditionVariable, ANotificationGoesPastACancelledWaiterToTheNext) {
  ModelFibers fibers;
  model::expect_holds(model::at_random(6'000), [&] {
    notify_meets_cancel(fibers, [](ConditionVariable& changed) { changed.notify_one(); });
  });
}

/// As ConditionVariable::notify_one() and its waiters use the queue, without the mutex.
template <class Notify>
void a_notification_meets_a_cancel(ModelFibers& fibers, Notify notify) {
  detail::WaitQueue queue;
  bool notified = false;
  const auto waits = fibers.fiber(0, [&] {
    QueueNode node;
    const WaitOutcome outcome = wait_in_queue(
        node, {}, Cancellable::kYes, Deadline::never(),
        [&](QueueNode& place) {
          WaitChain chain = queue.lock();
          chain.push_back(place);
          queue.unlock(chain);
          return true;
        },
        [&](QueueNode& place) {
          WaitChain chain = queue.lock();
          chain.remove_if_linked(place);
          queue.unlock(chain);
        });
    notified = outcome == WaitOutcome::kReady;
  });
  bool given = false;
  model::run({{"waiter", waits}, {"canceller", [&] { fibers[0].cancel(); }}, {"notifier", [&] {
                                                                                given = notify(queue);
                                                                              }}});
  model::check(notified == given, "success is reported exactly by who was notified");
  model::check(queue.idle(), "nobody stands in the queue");
}

TEST(ModelConditionVariable, ANotificationIsSpentOnAWaiterThatReportsIt) {
  ModelFibers fibers;
  model::expect_holds([&] {
    a_notification_meets_a_cancel(fibers, [](detail::WaitQueue& queue) {
      WaitChain chain = queue.lock();
      QueueNode* const won = chain.win_first();
      queue.unlock(chain);
      if (won != nullptr) won->waiter->wake();
      return won != nullptr;
    });
  });
}

TEST(ModelConditionVariable, PlantedANotificationOfAWaiterThatIsGoneIsFound) {
  ModelFibers fibers;
  model::expect_fails(FailureKind::kCheck, [&] {
    a_notification_meets_a_cancel(fibers, [](detail::WaitQueue& queue) {
      WaitChain chain = queue.lock();
      QueueNode* const first = chain.pop_front();
      if (first != nullptr && first->win()) first->waiter->wake();
      queue.unlock(chain);
      return first != nullptr;  // spent, whether it was won or not
    });
  });
}

}  // namespace
}  // namespace weft
