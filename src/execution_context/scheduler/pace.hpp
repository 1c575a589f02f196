// SPDX-License-Identifier: Apache-2.0
#pragma once

// How often a scheduler that is never idle looks at the clock (L12, docs/design/scheduler.md): seldom while
// its fibers run for a short time each, at each switch as soon as they do not. So what is due waits for half
// a millisecond and one run of a fiber, or for as long and the 61 short switches that share a look.
//
// 61 switches of less than 16 us take less than 1 ms: they may pass without a look. Time beyond that is
// remembered, up to kMemoryNs, and as long as something of it is left, each switch is looked at; each short
// one takes its share off. Switches that follow the beginning of long ones unseen are ended by the monitor,
// which makes every scheduler look at each of its own looks (Scheduler::look_soon()).
//
// Thread safety: none, the scheduler's own.

#include <algorithm>
#include <cstdint>

namespace weft {

class Pace {
 public:
  /// Nothing that is due should wait for longer than this and the run of one fiber (L12, S11).
  static constexpr std::int64_t kBoundNs = 1'000'000;
  /// A look serves what is due if so much time has passed since it was served last.
  static constexpr std::int64_t kDueNs = kBoundNs / 2;
  /// Switches between looks, while they are short.
  static constexpr std::uint32_t kSwitchesMax = 61;
  static constexpr std::int64_t kShortNs = kBoundNs / kSwitchesMax;
  /// So much of what took longer is remembered: some 250 short switches.
  static constexpr std::int64_t kMemoryNs = 4 * kBoundNs;

  /// Fibers run from now on: the time before was sleep, or a poll.
  void start(std::uint64_t switches, std::int64_t now_ns) noexcept {
    since_switches_ = switches;
    since_ns_ = now_ns;
  }

  struct Look {
    std::uint64_t switches;  ///< that were made since the last look, or start()
    std::int64_t took_ns;    ///< together
  };

  /// Looks: `switches` were made in all.
  Look look(std::uint64_t switches, std::int64_t now_ns) noexcept {
    const Look look{switches - since_switches_, now_ns - since_ns_};
    start(switches, now_ns);
    const std::int64_t short_ns = static_cast<std::int64_t>(look.switches) * kShortNs;
    excess_ns_ = std::clamp<std::int64_t>(excess_ns_ + look.took_ns - short_ns, 0, kMemoryNs);
    return look;
  }

  /// Whether some switches were long lately. Nothing is known at first: they may be.
  bool long_switches() const noexcept { return excess_ns_ > 0; }
  /// How many switches from now the next look is due.
  std::uint32_t switches_to_next_look() const noexcept { return long_switches() ? 1 : kSwitchesMax; }
  /// When the last look was, or start().
  std::int64_t since_ns() const noexcept { return since_ns_; }

 private:
  std::uint64_t since_switches_ = 0;
  std::int64_t since_ns_ = 0;
  std::int64_t excess_ns_ = kMemoryNs;
};

}  // namespace weft
