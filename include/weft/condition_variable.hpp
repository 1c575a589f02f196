// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/mutex.hpp>
#include <weft/result.hpp>

#include <mutex>
#include <utility>

namespace weft {

/// Waits, with a Mutex unlocked meanwhile, until somebody says that what it guards has changed. The names and
/// rules of std::condition_variable, for fibers of any contexts and plain threads; but a wait is cancellable,
/// and its result says whether it was ended so.
///
/// No notification is lost between the unlock and the wait, and none is spent on a waiter that was cancelled
/// or timed out before: it goes to the next one. A waiter is woken by a notification only, but whoever runs
/// first may have changed the state again: wait with a predicate. Waiters are notified in their order.
/// Destruction: when nobody waits who was not notified.
///
///     std::unique_lock lock(mutex);
///     auto there = changed.wait(lock, [&] { return !jobs.empty(); });
///     if (!there) return there.error();   // cancelled, or out of time; locked in each case
class ConditionVariable {
 public:
  constexpr ConditionVariable() noexcept = default;
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;

  /// Wakes the first waiter, all of them. Nobody is waited for: of no effect without waiters. Any fiber or
  /// thread, with the mutex or without. Suspends: no.
  void notify_one() noexcept;
  void notify_all() noexcept;

  /// Unlocks, waits to be notified, locks again. Suspends. Cancellable: gives up when the calling fiber is
  /// cancelled (Errc::cancelled) or at the deadline of the scope around it (Errc::timed_out). The mutex is
  /// locked again in each case, however long that takes; no notification is lost by giving up. BUG if `lock`
  /// does not hold its mutex; all waiters use the same one.
  Result<void> wait(std::unique_lock<Mutex>& lock) noexcept { return wait_until(lock, Deadline::never()); }
  /// The same until `predicate()`, called with the mutex locked, holds; success whenever it does, also after
  /// a cancel.
  template <class Predicate>
  Result<void> wait(std::unique_lock<Mutex>& lock, Predicate predicate) {
    return wait_until(lock, Deadline::never(), std::move(predicate));
  }

  /// The same, given up also at the deadline (Errc::timed_out).
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

  /// As wait(), however long that takes: neither a cancel nor a scope's deadline ends the wait.
  void wait_uncancellable(std::unique_lock<Mutex>& lock) noexcept;
  template <class Predicate>
  void wait_uncancellable(std::unique_lock<Mutex>& lock, Predicate predicate) {
    while (!predicate()) wait_uncancellable(lock);
  }

 private:
  detail::WaitQueue queue_;
};

}  // namespace weft
