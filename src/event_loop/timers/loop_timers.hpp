// SPDX-License-Identifier: Apache-2.0
#pragma once

// The deadlines of an event loop's waiters: the timer queue, its lock, and the lazy timer of
// docs/design/wait.md.
//
// A waiter has one timer, which stays armed when its wait ends otherwise. A timer that fires looks what its
// waiter does now: nothing with a deadline, and it stays unarmed; a later deadline, and it is armed again; a
// deadline that has passed, and the wait is won. So a connection that waits with the same limit again and
// again arms its timer once, and a wait in between costs one comparison.
//
// Thread safety: any thread. Lock order: after descriptors, before queues. No syscall under the lock.
// Invariant: LT1 a waiter that waits with a deadline has armed_at_ns <= deadline_ns, or is about to call
// arm().

#include "base/spin_lock.hpp"
#include "event_loop/timers/timers.hpp"
#include "fiber/fiber_queue.hpp"

#include <cstddef>
#include <cstdint>

namespace weft {

class LoopTimers {
 public:
  LoopTimers() noexcept;
  /// `start_ns` only has to be near the times used later.
  explicit LoopTimers(std::int64_t start_ns) noexcept : queue_(start_ns) {}

  /// Arms the waiter's timer for its current deadline. True if it is now the first to fire: a sleep that
  /// ends later must be interrupted. Called by the waiter.
  [[nodiscard]] bool arm(Waiter& waiter) noexcept;
  /// Takes the waiter's timer off. Called by the waiter before it dies.
  void disarm(Waiter& waiter) noexcept;

  /// Timers that expire() looks at when it is called once: more would keep the lock, and the thread, for
  /// longer than a millisecond. Afterwards next_ns() says whether there are more.
  static constexpr std::size_t kExpiredAtOnce = 256;

  /// Wins waits whose deadline is at or before `now_ns`, of `count_max` timers at most, and appends their
  /// fibers to `won`.
  std::size_t expire(std::int64_t now_ns, FiberQueue& won, std::size_t count_max = kExpiredAtOnce) noexcept;

  /// When expire() has something to do, at the latest. Any thread; a lower bound.
  std::int64_t next_ns() const noexcept { return next_ns_.load(seq_cst); }

 private:
  bool rearm_locked(Waiter& waiter, std::int64_t now_ns) noexcept;
  void publish_next_locked() noexcept { next_ns_.store(queue_.next_deadline_ns(), seq_cst); }

  SpinLock lock_;
  TimerQueue queue_;  // guarded by lock_
  // The queue's next deadline, for readers without the lock. seq_cst: the sleeper announces its sleep and
  // then reads this; arm() writes this and then looks for a sleeper (store buffering).
  Atomic<std::int64_t> next_ns_{TimerQueue::kNever};
};

}  // namespace weft
