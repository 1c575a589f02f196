// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/mutex.hpp>
#include <weft/result.hpp>

#include <mutex>
#include <utility>

namespace weft {

/// Waits, with a Mutex unlocked meanwhile, until another fiber or thread notifies that the guarded data has
/// changed. It has the names and rules of std::condition_variable, for fibers of any contexts and plain
/// threads. In addition a wait is cancellable, and its result says whether it was cancelled.
///
/// No notification is lost between the unlock and the wait. A notification is never spent on a waiter that
/// was cancelled or timed out before; it goes to the next waiter. Waiters are notified in the order of their
/// waits. Only a notification wakes a waiter, but another fiber may run first and change the state again:
/// wait with a predicate. Destruction: allowed when every waiter has been notified.
///
///     std::unique_lock lock(mutex);
///     auto there = changed.wait(lock, [&] { return !jobs.empty(); });
///     if (!there) return there.error();   // cancelled, or out of time; locked in each case
class ConditionVariable {
 public:
  constexpr ConditionVariable() noexcept = default;
  ConditionVariable(const ConditionVariable&) = delete;
  ConditionVariable& operator=(const ConditionVariable&) = delete;

  /// Wakes the first waiter, or all waiters. No effect without waiters. Any fiber or thread may call it, with
  /// the mutex locked or not. Does not suspend.
  void notify_one() noexcept;
  void notify_all() noexcept;

  /// Unlocks, waits for a notification, locks again. Suspends. Cancellable: fails when the calling fiber is
  /// cancelled (Errc::cancelled) or at the deadline of the enclosing scope (Errc::timed_out). The mutex is
  /// locked again in every case, however long that takes. A wait that fails loses no notification. BUG if
  /// `lock` does not hold its mutex. All waiters must use the same mutex.
  Result<void> wait(std::unique_lock<Mutex>& lock) noexcept { return wait_until(lock, Deadline::never()); }
  /// Waits until `predicate()` is true. The predicate is called with the mutex locked. Success whenever it is
  /// true, also after a cancellation.
  template <class Predicate>
  Result<void> wait(std::unique_lock<Mutex>& lock, Predicate predicate) {
    return wait_until(lock, Deadline::never(), std::move(predicate));
  }

  /// The same with a deadline (Errc::timed_out).
  Result<void> wait_until(std::unique_lock<Mutex>& lock, Deadline deadline) noexcept;
  /// Waits until `predicate()` is true. Success whenever it is true, also after the deadline or a
  /// cancellation.
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

  /// Like wait(), but neither a cancellation nor the deadline of a scope ends the wait.
  void wait_uncancellable(std::unique_lock<Mutex>& lock) noexcept;
  template <class Predicate>
  void wait_uncancellable(std::unique_lock<Mutex>& lock, Predicate predicate) {
    while (!predicate()) wait_uncancellable(lock);
  }

 private:
  detail::WaitQueue queue_;
};

}  // namespace weft
