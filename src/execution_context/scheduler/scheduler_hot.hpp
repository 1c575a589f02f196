// SPDX-License-Identifier: Apache-2.0
#pragma once

// What every switch does, in one piece wherever it is used: suspend(), yield() and finish() make no calls but
// to the switch itself.

#include "base/hot.hpp"
#include "execution_context/scheduler/scheduler.hpp"

namespace weft {

WEFT_HOT Fiber* Scheduler::exchange_next(Fiber* fiber) noexcept {
  if (!alone_) return run_next_.exchange(fiber, acq_rel);
  Fiber* const previous = run_next_.load(relaxed);
  run_next_.store(fiber, relaxed);
  return previous;
}

WEFT_HOT Fiber* Scheduler::pick_local() noexcept {
  // Relaxed: only this thread fills the slot.
  if (run_next_.load(relaxed) != nullptr) {
    Fiber* const next = exchange_next(nullptr);  // null: a thief was faster (S8)
    if (next != nullptr && ++next_streak_ < kNextStreakMax) [[likely]]
      return next;
    return pick_instead_of(next);
  }
  if (spawn_stack_used() && (++next_streak_ < kNextStreakMax || (run_queue_.empty() && !overflowed()))) {
    if (Fiber* const newest = pop_spawned()) return newest;
  }
  next_streak_ = 0;
  return pop();
}

WEFT_HOT void Scheduler::set_running(Fiber* fiber) noexcept {
  current = fiber;
  running_.store(fiber, relaxed);
  tick();
  budget = kBudgetPart;
}

}  // namespace weft
