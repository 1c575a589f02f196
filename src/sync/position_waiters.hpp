// SPDX-License-Identifier: Apache-2.0
#pragma once

// Those who wait for what comes next in a sequence: the next value of a broadcast, the next version of a
// watched one. Positions only grow, and a waiter queues with the position that is the newest, so a list of
// them is sorted: whatever comes serves the front, up to the first that has seen it.
//
// All of it is guarded by the lock of the source. Whoever is won is woken after the unlock; then it looks
// again, so nothing is handed over.

#include "base/portion.hpp"
#include "fiber/waiter.hpp"

#include <cstdint>

namespace weft {

struct PositionNode : WaitNode {
  std::uint64_t position = 0;  ///< it has seen all before
};

using PositionWaiters = IntrusiveList<PositionNode>;

/// Wins those that wait at a position before `end`, as long as `left` lasts; they move to `won`. True: there
/// are more of them. One that lost has found another end, and is on its way.
inline bool win_before(std::uint64_t end, PositionWaiters& waiters, PositionWaiters& won,
                       std::uint32_t& left) noexcept {
  while (!waiters.empty() && waiters.front().position < end) {
    if (left == 0) return true;
    --left;
    PositionNode& node = *waiters.pop_front();
    if (node.waiter->word.try_win(node.ticket, WaitOutcome::kReady)) won.push_back(node);
  }
  return false;
}

/// A node dies when its waiter is woken: it is taken off first. Without the lock.
template <class Node>
void wake_all(IntrusiveList<Node>& won) noexcept {
  while (Node* const node = won.pop_front()) node->waiter->wake();
}

}  // namespace weft
