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
/// std::unique_lock work. Eight bytes; a lock and an unlock that meet nobody are one compare-and-swap each.
///
/// Who finds it locked suspends (a plain thread blocks) in a queue. Who runs and finds it free takes it, also
/// past those that wait; a waiter that was woken in vain four times is handed the mutex. A fiber may suspend,
/// and change its thread, while it holds it. Not recursive.
///
/// What was written before unlock() is seen after the next lock(). Destruction: when nobody holds it or
/// waits; whoever has locked and unlocked it last may destroy it, also while the unlock() before is still on
/// its way out. In builds with WEFT_CHECK_LOCKS (debug) locking by the owner, unlocking by anybody else and
/// destruction while it is held are BUGs, reported with the fiber's name; without, only unlocking what is not
/// locked is.
///
///     weft::Mutex mutex;
///     std::scoped_lock lock(mutex);
class [[WEFT_LOCK_ABI]] Mutex {
 public:
  constexpr Mutex() noexcept = default;
  ~Mutex() { detail::end_of_life(word_, ~kLocked, "a mutex"); }
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  /// Locks. Suspends: if it is locked, and now and then to let a woken waiter have its turn. Not cancellable:
  /// see lock_until().
  void lock() noexcept {
    owner_.before_lock();
    if (!try_lock_untouched()) [[unlikely]]
      lock_slow();
    owner_.locked();
  }

  /// Locks, or gives up at the deadline (Errc::timed_out) or when the calling fiber is cancelled
  /// (Errc::cancelled): then it is not locked, and nothing is lost. Locks what is free also after the
  /// deadline or a cancel. Suspends as lock() does.
  Result<void> lock_until(Deadline deadline) noexcept {
    owner_.before_lock();
    if (!try_lock_untouched()) [[unlikely]] {
      if (Result<void> locked = lock_until_slow(deadline); !locked) return locked;
    }
    owner_.locked();
    return {};
  }

  /// Locks if it is free: false if it is not. Never suspends, never fails without a reason.
  [[nodiscard]] bool try_lock() noexcept {
    if (!try_lock_untouched() && !try_lock_slow()) return false;
    owner_.locked();
    return true;
  }

  /// Unlocks. Does not suspend. BUG if it is not locked. REQUIRES: by who locked it.
  void unlock() noexcept {
    owner_.before_unlock();
    std::uintptr_t expected = kLocked;
    // Release: pairs with the acquire of the next lock().
    if (!word_.compare_exchange_strong(expected, 0, detail::release, detail::relaxed)) [[unlikely]]
      unlock_slow();
  }

 private:
  static constexpr std::uintptr_t kLocked = 2;

  /// Nobody holds it and nobody waits.
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
