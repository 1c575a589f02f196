// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sync/channel_core.hpp"

namespace weft {

/// The first waiter whose wait can still be won, with the wait won; null if there is none. One that lost (it
/// was timed out or cancelled a moment ago, or another branch of its select was taken) is dropped: it is on
/// its way. With the lock.
[[gnu::always_inline]] inline ChannelNode* win_first(ChannelWaiters& waiters) noexcept {
  while (ChannelNode* const node = waiters.pop_front()) {
    if (node->waiter->word.try_win(node->ticket, node->win)) [[likely]]
      return node;
  }
  return nullptr;
}

/// Takes the node off if nobody did before. With the lock.
inline void remove_if_linked(ChannelWaiters& waiters, ChannelNode& node) noexcept {
  if (node.linked()) waiters.remove(node);
}

}  // namespace weft
