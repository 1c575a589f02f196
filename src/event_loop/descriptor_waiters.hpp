// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who waits on a descriptor, and who is woken by what (L3, L4, L5). Functions that end in _locked require the
// descriptor's lock. Fibers whose wait was won are appended to `won`: the caller wakes them after unlocking.

#include "event_loop/descriptor.hpp"
#include "event_loop/polling_event_loop.hpp"
#include "fiber/fiber_queue.hpp"

namespace weft {

/// Records an event and wins the waits that it ends: one for each direction, all on a hang-up or error.
void signal_locked(Descriptor& descriptor, Signals signals, FiberQueue& won) noexcept;

/// Wins the first wait for `direction` that can be won, with kReady.
void win_one_locked(Descriptor& descriptor, Direction direction, FiberQueue& won) noexcept;

/// Wins every wait, with `outcome`.
void win_all_locked(Descriptor& descriptor, WaitOutcome outcome, FiberQueue& won) noexcept;

/// Wins every wait, those for the turn to write too, with kClosed.
void close_locked(Descriptor& descriptor, FiberQueue& won) noexcept;

/// Wins the wait of `descriptor.put_off`, with kRetry: its write was withdrawn, its fiber makes it.
void win_put_off_locked(Descriptor& descriptor, FiberQueue& won) noexcept;

void add_waiter_locked(Descriptor& descriptor, Direction direction, WaitNode& node) noexcept;
/// Takes the node off if nobody did before.
void remove_waiter_locked(Descriptor& descriptor, Direction direction, WaitNode& node) noexcept;

/// L4: the caller had success with `direction` and did not find it empty: the next waiter may try too.
[[gnu::cold]] void pass_turn_slow(Descriptor& descriptor, Direction direction) noexcept;
inline void pass_turn(Descriptor& descriptor, Direction direction) noexcept {
  // Relaxed: a waiter that came before the last edge is seen, as the caller's wake-up, or the edge itself,
  // came after it under the lock; one that came later looked at the ready bit under the lock and did not
  // wait.
  if (descriptor.awaited[static_cast<int>(direction)].load(relaxed)) [[unlikely]] {
    pass_turn_slow(descriptor, direction);
  }
}

/// What a wait for `direction` is called in dumps.
inline WaitingFor waiting_for(const Descriptor& descriptor, Direction direction) noexcept {
  return {direction == Direction::kRead ? WaitKind::kRead : WaitKind::kWrite, &descriptor};
}

/// Wakes each in its own context.
void wake_all(FiberQueue& won) noexcept;

}  // namespace weft
