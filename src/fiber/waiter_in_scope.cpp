// SPDX-License-Identifier: Apache-2.0
// A wait within a cancel scope (docs/design/cancel.md); without one nothing of this runs.
#include "base/clock.hpp"
#include "fiber/cancel_node.hpp"
#include "fiber/waiter.hpp"

#include <algorithm>

namespace weft {

WaitTicket Waiter::begin_in_scope(WaitWord::Cancellable cancellable, std::int64_t until_ns,
                                  WaitKind kind) noexcept {
  const CancelNode& node = *scope.load(relaxed);
  const bool by_scope = cancellable == WaitWord::Cancellable::kYes;
  // Both published by the read-modify-write of word.begin().
  ended_by_scope.store(by_scope, relaxed);
  scope_ends_first = node.deadline_ns() < until_ns;
  deadline_ns.store(by_scope ? std::min(until_ns, node.deadline_ns()) : until_ns, relaxed);
  const bool ends = by_scope && !node.shielded();
  return word.begin(ends ? WaitWord::Cancellable::kYes : WaitWord::Cancellable::kNo, kind);
}

WaitOutcome Waiter::wait_in_scope() noexcept {
  if (!ended_by_scope.load(relaxed)) return wait_for_winner();
  CancelNode& node = *scope.load(relaxed);
  node.before_wait();
  // After word.begin(): who ends the scope says so and then looks for our wait (CR1). If somebody has won it,
  // which may be them, they are about to wake us. Looked at again: the current wait may have been taken over.
  const WaitOutcome ended = node.ended();
  WaitTicket ticket;
  if (ended != WaitOutcome::kReady && word.current(ticket) && ended_by_scope.load(relaxed) &&
      word.try_win(ticket, ended)) {
    node.note_stopped(ended);
    return ended_at_once(ended);
  }
  const WaitOutcome outcome = wait_for_winner();
  // Not if it was ended from above for that reason: what is above may have other deadlines.
  if (outcome == WaitOutcome::kTimedOut && deadline_ns.load(relaxed) == node.deadline_ns() &&
      node.ended() == WaitOutcome::kReady)
    node.expire();
  if (outcome == WaitOutcome::kCancelled || (outcome == WaitOutcome::kTimedOut && scope_timed_out(node)))
    node.note_stopped(outcome);
  return outcome;
}

// Not by the wait's own deadline, which may be the same.
bool Waiter::scope_timed_out(const CancelNode& node) const noexcept {
  return scope_ends_first || (node.ended() != WaitOutcome::kReady && now_ns() < deadline_ns.load(relaxed));
}

WaitOutcome Waiter::cancellation_in_scope() noexcept {
  CancelNode& node = *scope.load(relaxed);
  node.before_wait();
  const WaitOutcome ended =
      word.cancel_requested() && !node.shielded() ? WaitOutcome::kCancelled : node.status();
  if (ended != WaitOutcome::kReady) node.note_stopped(ended);
  return ended;
}

}  // namespace weft
