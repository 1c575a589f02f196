// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"

namespace weft {

/// What a thread does between two looks at something short that another thread does. The looks come rarer, up
/// to about a microsecond apart: whoever holds a lock meanwhile keeps its cache line, and takes it several
/// times before the line moves. (Two producers and two consumers on a channel, two threads: 130 ns an item
/// with a pause between looks, 37 ns with up to 32.) After a while the CPU is given away: the other one may
/// have been preempted.
class SpinBackoff {
 public:
  void pause() noexcept {
    if (++looks_ % kLooksBeforeYield == 0) return yield_cpu();
    for (int i = 0; i < pauses_; ++i) cpu_relax();
    if (pauses_ < kPausesMax) pauses_ *= 2;
  }

 private:
  static constexpr int kPausesMax = 32;
  static constexpr int kLooksBeforeYield = 12;

  int looks_ = 0;
  int pauses_ = 2;
};

}  // namespace weft
