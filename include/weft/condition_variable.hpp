// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/mutex.hpp>
#include <weft/result.hpp>

#include <mutex>

namespace weft {

/// Waits, with a Mutex unlocked meanwhile, until somebody says that what it guards has changed. The names and
/// rules of std::condition_variable, for fibers of any contexts and plain threads.
///
/// No notification is lost between the unlock and the wait, and none is spent on a waiter that was cancelled
/// or timed out before: it goes to the next one. A waiter is woken by a notification only, but whoever runs
/// first may have changed the state again: wait with a predicate. Waiters are notified in their order.
/// Destruction: when nobody waits who was not notified.
///
///     std::unique_lock lock(mutex);
///     changed.wait(lock, [&] { return !jobs.empty(); });
class ConditionVariable {
 public:
  constexpr ConditionVariable() noexcept = default;
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;

  /// Wakes the first waiter, all of them. Nobody is waited for: of no effect without waiters. Any fiber or
  /// thread, with the mutex or without. Suspends: no.
  void notify_one() noexcept;
  void notify_all() noexcept;

  /// Unlocks, waits to be notified, locks again. Suspends. Not cancellable, see wait_until(). BUG if `lock`
  /// does not hold its mutex; all waiters use the same one.
  void wait(std::unique_lock<Mutex>& lock) noexcept;
  /// The same until `predicate()`, called with the mutex locked, holds.
  template <class Predicate>
  void wait(std::unique_lock<Mutex>& lock, Predicate predicate) {
    while (!predicate()) wait(lock);
  }

  /// The same, given up at the deadline (Errc::timed_out) or when the calling fiber is cancelled
  /// (Errc::cancelled). The mutex is locked again in each case, however long that takes; no notification is
  /// lost by giving up.
  Result<void> wait_until(std::unique_lock<Mutex>& lock, Deadline deadline) noexcept;
  /// The same until `predicate()` holds; success whenever it does, also after the deadline or a cancel.
  template <class Predicate>
  Result<void> wait_until(std::unique_lock<Mutex>& lock, Deadline deadline, Predicate predicate) {
    while (!predicate()) {
      if (Result<void> notified = wait_until(lock, deadline); !notified) {
        if (predicate()) return {};
        return notified;
      }
    }
    return {};
  }

 private:
  detail::WaitQueue queue_;
};

}  // namespace weft
