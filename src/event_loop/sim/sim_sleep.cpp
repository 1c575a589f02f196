// SPDX-License-Identifier: Apache-2.0
#include "event_loop/sim/sim_sleep.hpp"

#include "sys/futex.hpp"

namespace weft {

bool SimSleep::sleep(Deadline deadline) noexcept {
  std::uint32_t expected = kAnnounced;
  if (!word_.compare_exchange_strong(expected, kAsleep, seq_cst)) return true;  // interrupted already
  while (word_.load(acquire) == kAsleep) {
    if (sys::futex_wait(word_, kAsleep, deadline)) continue;
    expected = kAsleep;
    return !word_.compare_exchange_strong(expected, kAwake, seq_cst);
  }
  return true;
}

bool SimSleep::interrupt() noexcept {
  if (word_.load(seq_cst) == kAwake) return false;
  // Whoever takes the word to awake is the only one to pay for the notification.
  if (word_.exchange(kAwake, seq_cst) != kAsleep) return false;
  sys::futex_wake(word_, 1);
  return true;
}

}  // namespace weft
