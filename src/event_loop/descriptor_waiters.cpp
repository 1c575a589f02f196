// SPDX-License-Identifier: Apache-2.0
#include "event_loop/descriptor_waiters.hpp"

#include "event_loop/peer_watch.hpp"
#include "event_loop/write_turn.hpp"

#include <mutex>

namespace weft {
namespace {

// A node that lost (its waiter was timed out or cancelled a moment ago) is dropped: that waiter is on its
// way.
inline bool win_first_locked(Descriptor& descriptor, Direction direction, WaitOutcome outcome,
                             FiberQueue& won) noexcept {
  WaitList& waiters = descriptor.waiters_of(direction);
  while (WaitNode* node = waiters.pop_front()) {
    if (node == descriptor.put_off) descriptor.put_off = nullptr;
    if (!node->waiter->word.try_win(node->ticket, outcome)) continue;
    won.push(static_cast<Fiber&>(*node->waiter));
    return true;
  }
  return false;
}

void update_awaited_locked(Descriptor& descriptor, Direction direction) noexcept {
  descriptor.awaited[static_cast<int>(direction)].store(!descriptor.waiters_of(direction).empty(), relaxed);
}

inline void win_direction_locked(Descriptor& descriptor, Direction direction, bool all,
                                 FiberQueue& won) noexcept {
  if (descriptor.waiters_of(direction).empty()) return;
  while (win_first_locked(descriptor, direction, WaitOutcome::kReady, won) && all) {}
  update_awaited_locked(descriptor, direction);
}

}  // namespace

void signal_locked(Descriptor& descriptor, Signals signals, FiberQueue& won) noexcept {
  descriptor.readiness.signal(signals.read, signals.write, signals.unusual);
  if (signals.read) win_direction_locked(descriptor, Direction::kRead, signals.hang_up, won);
  if (signals.write) win_direction_locked(descriptor, Direction::kWrite, signals.hang_up, won);
  if (won.empty()) ++descriptor.counters.unawaited_edges;
}

void win_one_locked(Descriptor& descriptor, Direction direction, FiberQueue& won) noexcept {
  win_direction_locked(descriptor, direction, false, won);
}

void win_all_locked(Descriptor& descriptor, WaitOutcome outcome, FiberQueue& won) noexcept {
  for (Direction direction : {Direction::kRead, Direction::kWrite}) {
    while (win_first_locked(descriptor, direction, outcome, won)) {}
    update_awaited_locked(descriptor, direction);
  }
  if (!descriptor.peer_watches.empty()) [[unlikely]]
    win_peer_waits_locked(descriptor, outcome, won);
}

void close_locked(Descriptor& descriptor, FiberQueue& won) noexcept {
  win_all_locked(descriptor, WaitOutcome::kClosed, won);
  if (descriptor.writers.empty()) return;
  while (WaitNode* const node = descriptor.writers.pop_front()) {
    if (node->waiter->word.try_win(node->ticket, WaitOutcome::kClosed))
      won.push(static_cast<Fiber&>(*node->waiter));
  }
  descriptor.usage.nobody_awaits_turn_locked();
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
  FiberQueue won;
  {
    std::scoped_lock lock(descriptor.lock);
    if (!descriptor.readiness.load().ready(direction)) return;  // found empty meanwhile
    win_one_locked(descriptor, direction, won);
  }
  wake_all(won);
}

void wake_all(FiberQueue& won) noexcept {
  while (Fiber* fiber = won.pop()) fiber->wake();
}

}  // namespace weft
