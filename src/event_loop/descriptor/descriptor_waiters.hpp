// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who waits on a descriptor, and who is woken by what (L3, L4, L5). Functions that end in _locked require the
// descriptor's lock. Fibers whose wait was won are appended to `won`: the caller wakes them after unlocking.

#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "fiber/fiber_queue.hpp"

namespace weft {

/// Records an event and wins the waits that it ends: one for each direction, all on a hang-up or error. Looks
/// at a portion of the waiters of each direction; true: that was not enough, and others are left.
[[nodiscard]] bool signal_locked(Descriptor& descriptor, Signals signals, FiberQueue& won) noexcept;

/// Wins the first wait for `direction` that can be won, with kReady. True: a portion of them could not, and
/// others are left.
[[nodiscard]] bool win_one_locked(Descriptor& descriptor, Direction direction, FiberQueue& won) noexcept;

/// Moves those who wait for `direction` to `taken`, a list in the caller's frame, to be woken in portions. A
/// waiter that gives up takes its node off under the descriptor's lock, as ever: it need not know the list.
void take_waiters_locked(Descriptor& descriptor, Direction direction, WaitList& taken) noexcept;
/// The same for all that wait.
void take_all_waiters_locked(Descriptor& descriptor, WaitList& taken) noexcept;
/// The same for those that wait for the turn to write, too: nobody comes any more.
void close_locked(Descriptor& descriptor, WaitList& taken) noexcept;
/// Wins a portion of the waits, with `outcome`; true: others are left.
[[nodiscard]] bool win_portion_locked(WaitList& taken, WaitOutcome outcome, FiberQueue& won) noexcept;
/// Wins and wakes all that were taken, a portion in a section of the lock, which must not be held.
void wake_taken(Descriptor& descriptor, WaitList& taken, WaitOutcome outcome) noexcept;

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
