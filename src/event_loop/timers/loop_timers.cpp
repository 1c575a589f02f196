// SPDX-License-Identifier: Apache-2.0
#include "event_loop/timers/loop_timers.hpp"

#include "base/clock.hpp"

#include <mutex>

namespace weft {

LoopTimers::LoopTimers() noexcept : LoopTimers(now_ns()) {}

bool LoopTimers::arm(Waiter& waiter) noexcept {
  const std::int64_t deadline_ns = waiter.deadline_ns.load(relaxed);  // the waiter's own
  if (deadline_ns == Waiter::kNoDeadline) return false;               // its wait was taken over meanwhile
  waiter.uses_timer = true;
  std::scoped_lock lock(lock_);
  const std::int64_t first_ns = queue_.next_deadline_ns();
  queue_.arm(waiter, deadline_ns);
  waiter.armed_at_ns.store(deadline_ns, relaxed);
  publish_next_locked();
  return deadline_ns < first_ns;
}

void LoopTimers::disarm(Waiter& waiter) noexcept {
  std::scoped_lock lock(lock_);
  if (!queue_.cancel(waiter)) return;
  waiter.armed_at_ns.store(Waiter::kNoDeadline, relaxed);
  publish_next_locked();
}

std::size_t LoopTimers::expire(std::int64_t now, FiberQueue& won, std::size_t count_max) noexcept {
  if (next_ns_.load(relaxed) > now) return 0;  // stale is fine: the caller comes back
  std::size_t count = 0;
  std::scoped_lock lock(lock_);
  for (std::size_t looked_at = 0; looked_at < count_max; ++looked_at) {
    Timer* const timer = queue_.pop_expired(now);
    if (timer == nullptr) break;
    auto& waiter = static_cast<Waiter&>(*timer);
    if (!rearm_locked(waiter, now)) continue;
    won.push(static_cast<Fiber&>(waiter));
    ++count;
  }
  publish_next_locked();
  return count;
}

// True if the waiter's wait was won.
//
// The store comes before the look at the word; the waiter's begin() comes before its look at armed_at_ns.
// Both are seq_cst: either we see the wait, or the waiter sees that its timer is unarmed and arms it (LT1).
bool LoopTimers::rearm_locked(Waiter& waiter, std::int64_t now) noexcept {
  waiter.armed_at_ns.store(Waiter::kNoDeadline, seq_cst);
  WaitTicket ticket;
  if (!waiter.word.current(ticket)) return false;
  // At least as new as the wait of `ticket`; if it is of a later wait, the ticket's epoch is over and cannot
  // win.
  const std::int64_t deadline_ns = waiter.deadline_ns.load(relaxed);
  if (deadline_ns == Waiter::kNoDeadline) return false;
  if (deadline_ns <= now) return waiter.word.try_win(ticket, WaitOutcome::kTimedOut);
  queue_.arm(waiter, deadline_ns);
  waiter.armed_at_ns.store(deadline_ns, relaxed);
  return false;
}

}  // namespace weft
