// SPDX-License-Identifier: Apache-2.0
#include "event_loop/descriptor/descriptor_waiters.hpp"

#include "base/portion.hpp"
#include "event_loop/descriptor/peer_watch.hpp"
#include "event_loop/write_batch/write_turn.hpp"

#include <mutex>

namespace weft {
namespace {

void update_awaited_locked(Descriptor& descriptor, Direction direction) noexcept {
  descriptor.awaited[static_cast<int>(direction)].store(!descriptor.waiters_of(direction).empty(), relaxed);
}

// True if the node's wait was won. One that lost (its waiter was timed out or cancelled a moment ago) is
// dropped: that waiter is on its way.
[[gnu::always_inline]] inline bool win_next_locked(Descriptor& descriptor, WaitNode& node,
                                                   FiberQueue& won) noexcept {
  if (&node == descriptor.put_off) descriptor.put_off = nullptr;
  if (!node.waiter->word.try_win(node.ticket, WaitOutcome::kReady)) return false;
  won.push(static_cast<Fiber&>(*node.waiter));
  return true;
}

// The first wait that can be won, or `all`. True: after a portion of them others are left.
[[gnu::cold, gnu::noinline]] bool win_several_locked(Descriptor& descriptor, Direction direction, bool all,
                                                     FiberQueue& won) noexcept {
  WaitList& waiters = descriptor.waiters_of(direction);
  std::uint32_t left = kPortion;
  for (; left != 0; --left) {
    WaitNode* const node = waiters.pop_front();
    if (node == nullptr || (win_next_locked(descriptor, *node, won) && !all)) break;
  }
  update_awaited_locked(descriptor, direction);
  return left == 0 && !waiters.empty();
}

// The usual case is in line: one waits, and is won.
[[gnu::always_inline]] inline bool win_direction_locked(Descriptor& descriptor, Direction direction, bool all,
                                                        FiberQueue& won) noexcept {
  WaitNode* const first = all ? nullptr : descriptor.waiters_of(direction).pop_front();
  if (first != nullptr && win_next_locked(descriptor, *first, won)) [[likely]] {
    update_awaited_locked(descriptor, direction);
    return false;
  }
  if (first == nullptr && descriptor.waiters_of(direction).empty()) return false;
  return win_several_locked(descriptor, direction, all, won);
}

}  // namespace

bool signal_locked(Descriptor& descriptor, Signals signals, FiberQueue& won) noexcept {
  bool more = false;
  descriptor.readiness.signal(signals.read, signals.write, signals.unusual);
  if (signals.read) more = win_direction_locked(descriptor, Direction::kRead, signals.hang_up, won);
  if (signals.write) more |= win_direction_locked(descriptor, Direction::kWrite, signals.hang_up, won);
  if (won.empty()) ++descriptor.counters.unawaited_edges;
  return more;
}

bool win_one_locked(Descriptor& descriptor, Direction direction, FiberQueue& won) noexcept {
  return win_direction_locked(descriptor, direction, false, won);
}

void take_waiters_locked(Descriptor& descriptor, Direction direction, WaitList& taken) noexcept {
  taken.splice_back(descriptor.waiters_of(direction));
  if (direction == Direction::kRead) descriptor.put_off = nullptr;  // among them
  update_awaited_locked(descriptor, direction);
}

void take_all_waiters_locked(Descriptor& descriptor, WaitList& taken) noexcept {
  for (Direction direction : {Direction::kRead, Direction::kWrite})
    take_waiters_locked(descriptor, direction, taken);
  if (!descriptor.peer_watches.empty()) [[unlikely]]
    take_peer_waiters_locked(descriptor, taken);
}

void close_locked(Descriptor& descriptor, WaitList& taken) noexcept {
  take_all_waiters_locked(descriptor, taken);
  if (descriptor.writers.empty()) return;
  taken.splice_back(descriptor.writers);
  descriptor.usage.nobody_awaits_turn_locked();
}

bool win_portion_locked(WaitList& taken, WaitOutcome outcome, FiberQueue& won) noexcept {
  for (std::uint32_t left = kPortion; left != 0; --left) {
    WaitNode* const node = taken.pop_front();
    if (node == nullptr) return false;
    if (node->waiter->word.try_win(node->ticket, outcome)) won.push(static_cast<Fiber&>(*node->waiter));
  }
  return !taken.empty();
}

void wake_taken(Descriptor& descriptor, WaitList& taken, WaitOutcome outcome) noexcept {
  for (bool more = true; more;) {
    FiberQueue won;
    {
      std::scoped_lock lock(descriptor.lock);
      more = win_portion_locked(taken, outcome, won);
    }
    wake_all(won);
  }
}

void win_put_off_locked(Descriptor& descriptor, FiberQueue& won) noexcept {
  PutOffWrite& write = *descriptor.put_off;
  remove_waiter_locked(descriptor, Direction::kRead, write);
  if (write.waiter->word.try_win(write.ticket, WaitOutcome::kRetry))
    won.push(static_cast<Fiber&>(*write.waiter));
}

void add_waiter_locked(Descriptor& descriptor, Direction direction, WaitNode& node) noexcept {
  descriptor.waiters_of(direction).push_back(node);
  descriptor.awaited[static_cast<int>(direction)].store(true, relaxed);
  descriptor.last_node.store(&node, relaxed);
}

void remove_waiter_locked(Descriptor& descriptor, Direction direction, WaitNode& node) noexcept {
  if (!node.linked()) return;
  descriptor.waiters_of(direction).remove(node);
  if (&node == descriptor.put_off) descriptor.put_off = nullptr;
  update_awaited_locked(descriptor, direction);
}

void pass_turn_slow(Descriptor& descriptor, Direction direction) noexcept {
  for (bool more = true; more;) {
    FiberQueue won;
    {
      std::scoped_lock lock(descriptor.lock);
      if (!descriptor.readiness.load().ready(direction)) return;  // found empty meanwhile
      more = win_one_locked(descriptor, direction, won);
    }
    wake_all(won);
  }
}

void wake_all(FiberQueue& won) noexcept {
  while (Fiber* fiber = won.pop()) fiber->wake();
}

}  // namespace weft
