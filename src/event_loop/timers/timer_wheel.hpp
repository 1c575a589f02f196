// SPDX-License-Identifier: Apache-2.0
#pragma once

// The far half of a `TimerQueue`: 9 levels of 64 slots. A slot of level 0 is a tick of 2^20 ns (about
// 1 ms); a level's slots are 32 times as long as those of the level below, so that each level reaches over
// two slots of the next one. docs/design/timers.md has the picture, the reasons and the numbers.
//
// Thread safety: none.
// Guarantees: insert and remove are O(1); advance is O(levels + timers moved), whatever time has passed, and
// moves at most kOpenedAtOnce timers of slots that are due and kAheadMax of others for each level: what is
// left of due slots is put off. Nothing is in order there: it goes on by settle_late(), and with each tick.
// Invariants, with base = the latest time the wheel was advanced to:
//   W1 a timer of a slot has a deadline at or after the slot's `earliest_ns`, which is after base;
//   W2 within a level, a timer's slot number (deadline >> shift) is in [base's, base's + 63], so a slot
//      holds one number's timers only, and the first occupied slot, counted from base's, has the level's
//      earliest bound; but for slots that were put off, which have no number;
//   W3 `earliest_ns()` is the least bound of all occupied slots;
//   W4 a bit of `occupied_` is set exactly when its slot has timers, of `levels_` when its level has bits.

#include "base/cache_line.hpp"
#include "base/timer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace weft {

class TimerWheel {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  static constexpr int kTickBits = 20;

  explicit TimerWheel(std::int64_t now_ns) noexcept : base_ns_(now_ns) {}

  /// True of a deadline in base's tick or before: not for the wheel.
  bool is_near(std::int64_t deadline_ns) const noexcept {
    return deadline_ns >> kTickBits <= base_ns_ >> kTickBits;
  }

  /// REQUIRES: not armed; `is_near` is false of its deadline.
  void insert(Timer& timer) noexcept;

  /// REQUIRES: `timer` is in the wheel. Leaves the slot's bound as it is, unless this empties the slot.
  void remove(Timer& timer) noexcept;

  /// No timer is due before; `kNever` when empty. Exact as long as nothing was removed.
  std::int64_t earliest_ns() const noexcept { return earliest_ns_; }

  /// Moves base to `now_ns` (never back); timers that became near go to `near`, the others of the slots
  /// that were opened for it to lower levels. Afterwards earliest_ns() > now_ns, unless has_late().
  void advance(std::int64_t now_ns, TimerHeap& near) noexcept {
    if (now_ns < earliest_ns_ && is_near(now_ns)) {
      base_ns_ = now_ns > base_ns_ ? now_ns : base_ns_;
    } else if (now_ns > base_ns_) {
      advance_slow(now_ns, near);
    }
  }

  static constexpr std::size_t kOpenedAtOnce = 256;
  static constexpr std::size_t kAheadMax = 64;

  /// Timers were put off.
  bool has_late() const noexcept { return occupied_[kLate] != 0; }
  /// Moves some of those that were put off to where they belong now.
  void settle_late(TimerHeap& near) noexcept;

 private:
  static constexpr int kLevels = 9;
  static constexpr int kSlots = 64;
  static constexpr std::size_t kLate = kLevels;  // the row of slots that were put off: any free one is taken
  static constexpr int kLevelBits = 5;           // a slot is 2^5 slots of the level below
  static constexpr std::size_t kHints = 6;

  /// `recent` are the last timers inserted, newest first. They are hints, and may be dangling: they are never
  /// dereferenced, only prefetched, to overlap the cache misses of the walk along a list.
  struct alignas(kCacheLine) Slot {
    Timer* head;
    std::int64_t earliest_ns;
    std::array<Timer*, kHints> recent;
  };
  static_assert(sizeof(Slot) == kCacheLine);

  static constexpr int shift(int level) noexcept { return kTickBits + level * kLevelBits; }
  int level_of(std::int64_t deadline_ns) const noexcept;
  std::uint64_t due_slots(int level, std::int64_t old_base_ns) const noexcept;
  void advance_slow(std::int64_t now_ns, TimerHeap& near) noexcept;
  std::size_t open(int level, int index, std::size_t count_max, TimerHeap& near) noexcept;
  bool put_off(Timer* timers, std::int64_t earliest_ns) noexcept;
  void set_head(std::size_t level, int index, Timer* head) noexcept;
  void open_ahead(TimerHeap& near) noexcept;
  void open_some(int level, int index, TimerHeap& near) noexcept;
  Timer* settle(Timer* timer, std::size_t& left, TimerHeap& near) noexcept;
  void mark_empty(int level, int index) noexcept;
  std::int64_t first_bound_ns() const noexcept;

  std::int64_t base_ns_;
  std::int64_t earliest_ns_ = kNever;
  std::uint64_t levels_ = 0;
  std::array<std::uint64_t, kLevels + 1> occupied_{};
  std::array<std::array<Slot, kSlots>, kLevels + 1> slots_{};
};

}  // namespace weft
