// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/atomic.hpp>
#include <weft/detail/lock_owner.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/result.hpp>

#include <cstdint>

namespace weft {

/// Mutual exclusion between fibers of any contexts and plain threads. Meets Lockable, so std::scoped_lock and
/// std::unique_lock work. Eight bytes. Without contention a lock and an unlock are one compare-and-swap each.
///
/// A fiber that finds it locked queues and suspends (a plain thread blocks). A running fiber that finds it
/// free takes it, even if others wait. A waiter that was woken four times without getting it gets it by
/// hand-over. A fiber may suspend and change its thread while it holds the mutex. Not recursive.
///
/// Writes before unlock() are visible after the next lock(). Destruction: allowed when the mutex is not held
/// and no fiber or thread waits. The last fiber that has locked and unlocked it may destroy it, even if the
/// unlock() before has not returned yet.
///
/// In builds with WEFT_CHECK_LOCKS (debug) these are BUGs, reported with the fiber's name: the owner locks
/// again, another fiber unlocks, the mutex is destroyed while held. In other builds only unlocking a mutex
/// that is not locked is a BUG.
///
///     weft::Mutex mutex;
///     std::scoped_lock lock(mutex);
class [[WEFT_LOCK_ABI]] Mutex {
 public:
  constexpr Mutex() noexcept = default;
  ~Mutex() { detail::end_of_life(word_, ~kLocked, "a mutex"); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  /// Locks. Suspends if the mutex is locked, and sometimes to let a woken waiter run first. Not cancellable;
  /// see lock_until().
  void lock() noexcept {
    owner_.before_lock();
    if (!try_lock_untouched()) [[unlikely]]
      lock_slow();
    owner_.locked();
  }

  /// Locks, or fails at the deadline (Errc::timed_out) or when the calling fiber is cancelled
  /// (Errc::cancelled). After a failure the caller does not hold the mutex. A free mutex is locked even after
  /// the deadline or a cancellation. Suspends like lock().
  Result<void> lock_until(Deadline deadline) noexcept {
    owner_.before_lock();
    if (!try_lock_untouched()) [[unlikely]] {
      if (Result<void> locked = lock_until_slow(deadline); !locked) return locked;
    }
    owner_.locked();
    return {};
  }

  /// Locks the mutex if it is free, and returns whether it did. Never suspends. Never fails spuriously.
  [[nodiscard]] bool try_lock() noexcept {
    if (!try_lock_untouched() && !try_lock_slow()) return false;
    owner_.locked();
    return true;
  }

  /// Unlocks. Does not suspend. BUG if it is not locked. REQUIRES: the caller has locked it.
  void unlock() noexcept {
    owner_.before_unlock();
    std::uintptr_t expected = kLocked;
    // Release: pairs with the acquire of the next lock().
    if (!word_.compare_exchange_strong(expected, 0, detail::release, detail::relaxed)) [[unlikely]]
      unlock_slow();
  }

 private:
  static constexpr std::uintptr_t kLocked = 2;

  /// Locks a mutex that is not held and has no waiters.
  bool try_lock_untouched() noexcept {
    std::uintptr_t expected = 0;
    return word_.compare_exchange_strong(expected, kLocked, detail::acquire, detail::relaxed);
  }
  void lock_slow() noexcept;
  Result<void> lock_until_slow(Deadline deadline) noexcept;
  bool try_lock_slow() noexcept;
  void unlock_slow() noexcept;
  struct Description;

  detail::Atomic<std::uintptr_t> word_{0};  // src/sync/mutex_word.hpp
  [[no_unique_address]] detail::LockOwner owner_;
};

}  // namespace weft
