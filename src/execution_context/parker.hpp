// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"
#include "sys/futex.hpp"

#include <cstdint>

namespace weft {

/// Puts one thread to sleep until it is unparked. An unpark() that comes first is remembered; several count
/// as one.
class Parker {
 public:
  /// The owner only.
  void park() noexcept {
    // Acquire: pairs with the release in unpark().
    while (token_.exchange(0, acquire) == 0) sys::futex_wait(token_, 0);
  }

  /// Any thread that keeps the parker alive.
  void unpark() noexcept {
    if (token_.exchange(1, release) == 0) sys::futex_wake(token_, 1);
  }

 private:
  Atomic<std::uint32_t> token_{0};
};

}  // namespace weft
