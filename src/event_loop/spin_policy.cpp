// SPDX-License-Identifier: Apache-2.0
#include "event_loop/spin_policy.hpp"

#include <algorithm>

namespace weft {

void SpinPolicy::decide(std::int64_t now_ns) noexcept {
  if (spinning_) {
    if (useful_spins_ * 4 < spins_ * 3) {
      spinning_ = false;
      off_until_ns_ = now_ns + backoff_ns_;
      backoff_ns_ = std::min(backoff_ns_ * 2, kBackoffMaxNs);
    } else if (spins_ != 0) {
      backoff_ns_ = kWindowNs;  // it pays: the next failure starts small again
    }
  } else if (now_ns >= off_until_ns_ && events_after_sleep_ * 8 > events_) {
    spinning_ = true;
  }
  events_ = events_after_sleep_ = spins_ = useful_spins_ = 0;
  window_end_ns_ = now_ns + kWindowNs;
}

}  // namespace weft
