// SPDX-License-Identifier: Apache-2.0
#include "sync/mutex_word.hpp"

#include "base/panic.hpp"
#include "fiber/budget.hpp"

namespace weft::mutex_word {
namespace {

struct LockNode : QueueNode {
  std::uint8_t losses = 0;  ///< how often it was woken in vain. Its own; read under the queue bit
  bool owns = false;  ///< the lock is this waiter's. Written by whoever gives it, before the wait is won
};

std::uintptr_t bits_of(WaitChain chain) noexcept { return reinterpret_cast<std::uintptr_t>(chain.first()); }
WaitChain chain_of(std::uintptr_t word) noexcept {
  return WaitChain(reinterpret_cast<QueueNode*>(word & ~kFlags));
}
bool has_waiters(std::uintptr_t word) noexcept { return (word & ~kFlags) != 0; }

/// A fiber that takes the lock past a woken waiter, again and again, would keep its thread, and the waiter in
/// this thread's queue, for ever: it pays for it with its budget (L12).
void let_woken_run() noexcept {
  Runner* const runner = this_runner();
  if (runner != nullptr && runner->current != nullptr) spend_budget(*runner);
}

/// The woken waiter tries: it takes the lock, and its mark away.
bool try_lock_woken(SyncWord& word) noexcept {
  std::uintptr_t before = word.load(relaxed);
  while ((before & kLocked) == 0) {
    if (word.compare_exchange_weak(before, (before & ~kWoken) | kLocked, acquire, relaxed)) return true;
  }
  return false;
}

/// With the queue bit: takes the lock if it is free, and lets the bit go. `mark` is kWoken if the caller is
/// the one that was woken. `word` and `now` are what the word is now, the bit included.
bool lock_instead_of_queueing(SyncWord& word, std::uintptr_t& now, std::uintptr_t mark) noexcept {
  while ((now & kLocked) == 0) {
    const std::uintptr_t locked = (now & ~(kQueueBit | mark)) | kLocked;
    if (word.compare_exchange_weak(now, locked, acq_rel, relaxed)) return true;
  }
  return false;
}

/// With the queue bit: publishes the chain if the lock is still held, and lets the bit go. Otherwise nobody
/// might ever wake its waiters.
bool publish_if_locked(SyncWord& word, std::uintptr_t& now, WaitChain chain, std::uintptr_t mark) noexcept {
  while ((now & kLocked) != 0) {
    const std::uintptr_t queued = bits_of(chain) | (now & (kLocked | kWoken) & ~mark);
    // Release: who takes the queue bit next sees the node.
    if (word.compare_exchange_weak(now, queued, release, relaxed)) return true;
  }
  return false;
}

/// Links the node; false if the lock was free and is the caller's now.
bool queue_or_lock(SyncWord& word, LockNode& node) noexcept {
  const bool first = node.losses != 0;  // it lost a race that it was woken for: back to its place
  const std::uintptr_t mark = first ? kWoken : 0;
  std::uintptr_t now = lock_queue(word);
  WaitChain chain = chain_of(now);
  now |= kQueueBit;
  for (;;) {
    if (lock_instead_of_queueing(word, now, mark)) {
      node.owns = true;
      return false;
    }
    first ? chain.push_front(node) : chain.push_back(node);
    if (publish_if_locked(word, now, chain, mark)) return true;
    chain.remove(node);  // unlocked meanwhile, without a look at a chain that was not published
  }
}

/// A waiter that gives up.
void leave(SyncWord& word, LockNode& node) noexcept {
  const WaitChain before = chain_of(lock_queue(word));
  WaitChain after = before;
  after.remove_if_linked(node);
  // Adds beside the flags, which others may change meanwhile. Release: as in publish_if_locked().
  word.fetch_add(bits_of(after) - bits_of(before) - kQueueBit, release);
}

/// The next waiter whose wait is won; `owns` tells it whether the lock is its own.
LockNode* win_next(WaitChain& chain, std::uint8_t losses_max) noexcept {
  while (QueueNode* const popped = chain.pop_front()) {
    LockNode& node = static_cast<LockNode&>(*popped);
    node.owns = node.losses >= losses_max;
    if (node.win()) return &node;
  }
  return nullptr;
}

/// With the lock and the queue bit, `woken` clear: nobody else writes the word, so both go by a store.
void wake_or_hand_over(SyncWord& word, WaitChain chain, std::uint8_t losses_max) noexcept {
  while (chain.drop_gone()) {  // a portion in a section; locked meanwhile
    word.store(bits_of(chain) | kLocked, release);
    chain = chain_of(lock_queue(word));
  }
  LockNode* const next = win_next(chain, losses_max);
  const std::uintptr_t flag = next == nullptr ? 0 : next->owns ? kLocked : kWoken;
  word.store(bits_of(chain) | flag, release);
  if (next != nullptr) next->waiter->wake();
}

}  // namespace

bool try_lock(SyncWord& word) noexcept {
  std::uintptr_t before = word.load(relaxed);
  while ((before & kLocked) == 0) {
    if (word.compare_exchange_weak(before, before | kLocked, acquire, relaxed)) return true;
  }
  return false;
}

WaitOutcome lock(SyncWord& word, WaitWord::Cancellable cancellable, Deadline deadline) noexcept {
  if ((word.load(relaxed) & kWoken) != 0) let_woken_run();
  if (try_lock(word)) return WaitOutcome::kReady;
  LockNode node;
  for (;;) {
    const WaitOutcome outcome = wait_in_queue(
        node, {WaitKind::kMutex, &word}, cancellable, deadline,
        [&](QueueNode&) { return queue_or_lock(word, node); }, [&](QueueNode&) { leave(word, node); });
    if (outcome != WaitOutcome::kReady || node.owns || try_lock_woken(word)) return outcome;
    if (node.losses < kLossesMax) ++node.losses;
  }
}

void unlock(SyncWord& word, std::uint8_t losses_max) noexcept {
  SpinBackoff backoff;
  std::uintptr_t now = word.load(relaxed);
  for (;;) {
    WEFT_ASSERT((now & kLocked) != 0, "unlock() of a mutex that is not locked", WEFT_VALUE(&word));
    if (!has_waiters(now) || (now & kWoken) != 0) {
      // Whoever holds the queue bit with no chain published sees the lock free and takes it.
      if (word.compare_exchange_weak(now, now & ~kLocked, release, relaxed)) return;
    } else if ((now & kQueueBit) != 0) {
      if (now == detail::kDestroyed) [[unlikely]]
        refuse_destroyed();
      backoff.pause();  // it may be a waiter that leaves, and wakes nobody
      now = word.load(relaxed);
    } else if (word.compare_exchange_weak(now, now | kQueueBit, acquire, relaxed)) {
      return wake_or_hand_over(word, chain_of(now), losses_max);
    }
  }
}

}  // namespace weft::mutex_word
