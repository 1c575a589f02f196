// SPDX-License-Identifier: Apache-2.0
#pragma once

// What all objects of this layer wait with (docs/design/sync.md): a word with a queue bit, chains of nodes
// that the bit guards, and one procedure for a wait. The lock-free part of each object is its own.
//
// Thread safety: chains and nodes are touched by the holder of the queue bit only, but for one thing: the
// node of a waiter that was won stays readable by its winner until it wakes it (WW6).
// Invariants: WQ1 a node is linked, unlinked and its CAS done under the queue bit (P1). WQ2 a winner wakes
// after it has let the bit go. WQ3 letting the bit go, with the object's new state, is one operation and the
// last touch of the object: whoever gets on by that state may destroy it. Assumption: nothing in a section
// suspends, allocates or enters the kernel.

#include "base/spin_backoff.hpp"
#include "fiber/waiter.hpp"

#include <weft/deadline.hpp>
#include <weft/detail/wait_queue.hpp>

#include <cstdint>
#include <utility>

namespace weft {

namespace detail {

/// The place of one waiter in one chain. The low bits of its address are free for flags.
struct alignas(8) QueueNode {
  QueueNode* next = nullptr;  ///< null: in no chain
  QueueNode* previous = nullptr;
  Waiter* waiter = nullptr;
  WaitTicket ticket;

  bool linked() const noexcept { return next != nullptr; }
  bool win() noexcept { return waiter->word.try_win(ticket, WaitOutcome::kReady); }
};

}  // namespace detail

using detail::kQueueBit;
using detail::QueueNode;
using detail::WaitChain;

using SyncWord = Atomic<std::uintptr_t>;

/// Somebody waits: of the words that have no other use for it.
inline constexpr std::uintptr_t kWaiting = 2;

/// Somebody uses an object that was destroyed: BUG.
[[noreturn]] void refuse_destroyed() noexcept;

/// Takes the queue bit of `word`: what it held before. Letting go is the object's own business, together with
/// its new state.
inline std::uintptr_t lock_queue(SyncWord& word) noexcept {
  SpinBackoff backoff;
  std::uintptr_t before = word.load(relaxed);  // only a guess, the CAS decides
  for (;;) {
    if ((before & kQueueBit) != 0) {
      if (before == detail::kDestroyed) [[unlikely]]
        refuse_destroyed();
      backoff.pause();
      before = word.load(relaxed);
    } else if (word.compare_exchange_weak(before, before | kQueueBit, acquire, relaxed)) {
      return before;  // acquire: pairs with the release that let the bit go
    }
  }
}

/// One wait of the caller, for `what` (dumps). `queue(node)`, called once the wait can be won, links the node
/// under the queue bit, or returns false if there is nothing to wait for any more: the object's state then
/// already counts the caller in. `leave(node)` takes the node off, under the queue bit, after a timeout or a
/// cancel.
template <class Queue, class Leave>
WaitOutcome wait_in_queue(QueueNode& node, WaitingFor what, WaitWord::Cancellable cancellable,
                          Deadline deadline, Queue&& queue, Leave&& leave) noexcept {
  Waiter& self = Waiter::current();
  node.waiter = &self;
  node.ticket = self.begin(cancellable, deadline.time_ns(), what);
  if (!queue(node)) {
    // A cancel or an earlier timer may have won meanwhile: its wake-up is taken here (WW5), what the
    // caller has got counts.
    if (!node.win()) self.wait();
    return WaitOutcome::kReady;
  }
  const WaitOutcome outcome = self.wait();
  if (outcome != WaitOutcome::kReady) leave(node);
  return outcome;
}

}  // namespace weft
