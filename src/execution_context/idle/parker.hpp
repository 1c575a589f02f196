// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"
#include "sys/futex.hpp"

#include <weft/deadline.hpp>

#include <cstdint>

namespace weft {

/// Puts one thread to sleep until it is unparked. An unpark() that comes first is remembered; several count
/// as one. Only a thread that sleeps costs who unparks it a system call.
class Parker {
 public:
  /// The owner only. True: it had to sleep.
  bool park() noexcept {
    if (try_take()) return false;
    bool slept = false;
    for (; word_.exchange(kAsleep, acquire) != kToken; slept = true) sys::futex_wait(word_, kAsleep);
    // Acquire, both: pairs with the release in the last unpark() so far, which may have come in between.
    word_.exchange(kNone, acquire);
    return slept;
  }

  /// The same until `deadline` of the real clock at the latest. False: it passed, and nobody has unparked.
  bool park_until(Deadline deadline) noexcept {
    if (try_take()) return true;
    while (word_.exchange(kAsleep, acquire) != kToken) {
      if (!sys::futex_wait(word_, kAsleep, deadline)) return word_.exchange(kNone, acquire) == kToken;
    }
    word_.exchange(kNone, acquire);  // as in park()
    return true;
  }

  /// The owner only. True: it was unparked.
  bool try_take() noexcept {
    return word_.load(relaxed) == kToken && word_.exchange(kNone, acquire) == kToken;  // nobody else takes it
  }

  /// Any thread that keeps the parker alive.
  void unpark() noexcept {
    if (word_.exchange(kToken, release) == kAsleep) sys::futex_wake(word_, 1);
  }

 private:
  static constexpr std::uint32_t kNone = 0;
  static constexpr std::uint32_t kToken = 1;   ///< unparked
  static constexpr std::uint32_t kAsleep = 2;  ///< or about to be

  Atomic<std::uint32_t> word_{kNone};
};

}  // namespace weft
