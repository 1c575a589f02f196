// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"

#include <cstdint>

namespace weft {

/// What a thread does between two looks at something short that another thread does. The looks come rarer, up
/// to about a microsecond apart: whoever holds a lock meanwhile keeps its cache line, and takes it several
/// times before the line moves. (Two producers and two consumers on a channel, two threads: 130 ns an item
/// with a pause between looks, 37 ns with up to 32.) After a while the CPU is given away: the other one may
/// have been preempted. That is of no use where the scheduler of the system never prefers the other one (this
/// thread is of a real-time class, or that one is SCHED_IDLE): after several yields the thread sleeps, for
/// 50 us first, at most for 1 ms (docs/design/sync.md, "Short waits").
class SpinBackoff {
 public:
  static constexpr std::uint32_t kLooksBeforeYield = 12;
  static constexpr std::uint32_t kYieldsBeforeSleep = 16;
  static constexpr std::int64_t kSleepMinNs = 50'000;
  static constexpr std::int64_t kSleepMaxNs = 1'000'000;

  void pause() noexcept {
    if (++looks_ % kLooksBeforeYield == 0) [[unlikely]]
      return give_cpu_away();
    for (int i = 0; i < pauses_; ++i) cpu_relax();
    if (pauses_ < kPausesMax) pauses_ *= 2;
  }

  /// How long it sleeps when it gives the CPU away the next time; 0: it yields.
  std::int64_t next_sleep_ns() const noexcept { return yields_ < kYieldsBeforeSleep ? 0 : sleep_ns_; }

 private:
  static constexpr int kPausesMax = 32;

  [[gnu::cold]] void give_cpu_away() noexcept;

  std::uint32_t looks_ = 0;
  int pauses_ = 2;
  std::uint32_t yields_ = 0;
  std::int64_t sleep_ns_ = kSleepMinNs;
};

}  // namespace weft
