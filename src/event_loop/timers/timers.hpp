// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pending deadlines of one event loop. Near ones (the current tick of about 1 ms, and the past) stand in
// a heap in exact order, far ones unordered in a wheel: an arm or cancel touches a few cache lines, however
// many there are.
//
// Thread safety: none; the caller holds the loop's timers lock for every call. P1 says why a popped
// timer's waiter must be won before that lock is released.
// Guarantees:
//   T1 timers are popped in the order of (deadline, arm), to the nanosecond, and never before their deadline;
//   but
//      of thousands that fall due together those beyond the first 256 come in any order, behind others that
//      are due;
//   T2 nothing allocates or fails;
//   T3 next_deadline_ns() is never after the earliest deadline, and it is a deadline that was armed and has
//      not been popped since: a loop that sleeps until it wakes at most once per armed deadline (law L13);
//   T4 once pop_expired(now) has returned null, next_deadline_ns() > now;
//   T5 no call costs time in proportion to the time that has passed, nor to the number of timers that fall
//   due
//      together.
// Structure and cost: docs/design/timers.md.

#include "event_loop/timers/timer_wheel.hpp"

namespace weft {

class TimerQueue {
 public:
  static constexpr std::int64_t kNever = TimerWheel::kNever;

  /// `now_ns` only has to be near the times used later.
  explicit TimerQueue(std::int64_t now_ns) noexcept : wheel_(now_ns) {}
  ~TimerQueue() { WEFT_DEBUG_ASSERT(empty(), "timer queue destroyed with armed timers", WEFT_VALUE(size_)); }
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  /// Arms `timer`, or arms it anew (as the last of its new deadline). A deadline in the past expires at
  /// once, in order.
  /// REQUIRES: `timer` is not armed in another queue; `deadline_ns` is not `kNever`.
  void arm(Timer& timer, std::int64_t deadline_ns) noexcept;

  /// Disarms `timer`; false if it was not armed.
  bool cancel(Timer& timer) noexcept;

  /// When to look again, at the latest; `kNever` when empty.
  std::int64_t next_deadline_ns() const noexcept;

  /// The first timer whose deadline is at or before `now_ns`, disarmed; null when there is none. `now_ns`
  /// may be smaller than before. `kNever` pops whatever is left: how a retiring loop gives its timers away.
  Timer* pop_expired(std::int64_t now_ns) noexcept;

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

 private:
  void unlink(Timer& timer) noexcept;

  TimerHeap near_;
  std::size_t size_ = 0;
  std::uint64_t next_sequence_ = 0;
  TimerWheel wheel_;
};

}  // namespace weft
