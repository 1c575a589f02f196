// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/hot.hpp"
#include "base/spin_backoff.hpp"

#include <cstdint>

namespace weft {

namespace detail {

/// A lock for sections of a few dozen instructions: no syscall, no allocation and no suspension inside
/// (L10). Meets BasicLockable, so `std::scoped_lock` and `std::unique_lock` work.
///
/// Thread safety: any thread. A waiter spins on a plain load, and after a while gives its CPU away, by
/// yields first and then by sleeping: the holder may have been preempted, and spinning on would only keep it
/// from running (spin_backoff.hpp). Unlocking is a store, whoever waits.
class SpinLock {
 public:
  WEFT_HOT void lock() noexcept {
    // Acquire: pairs with the release in unlock().
    if (!locked_.exchange(1, acquire)) [[likely]]
      return;
    lock_slow();
  }

  bool try_lock() noexcept { return locked_.load(relaxed) == 0 && !locked_.exchange(1, acquire); }

  void unlock() noexcept { locked_.store(0, release); }

 private:
  [[gnu::cold, gnu::noinline]] void lock_slow() noexcept {
    SpinBackoff backoff;
    do {
      while (locked_.load(relaxed) != 0) backoff.pause();  // relaxed: only a hint, the exchange decides
    } while (locked_.exchange(1, acquire));
  }

  Atomic<std::uint8_t> locked_{0};
};

}  // namespace detail

using detail::SpinLock;

}  // namespace weft
