// SPDX-License-Identifier: Apache-2.0
#pragma once

// The waiters of a synchronization object: the part that lies in the object. src/sync/wait_queue.hpp has the
// protocol. Internal: this header may change at any time.

#include <weft/detail/atomic.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::detail {

struct QueueNode;

/// A lock in bit 0 of an object's word, for sections of a few dozen instructions. It guards the object's
/// chains of waiters.
inline constexpr std::uintptr_t kQueueBit = 1;

/// The word of a destroyed object, in a build with WEFT_CHECK_LOCKS: a later use finds the queue bit taken.
/// No node has such an address.
inline constexpr std::uintptr_t kDestroyed = 0xdead'dead'dead'dea3;

/// Called by the destructor of `what`. BUG if a bit of `waiting` is set: a fiber or thread still waits, or
/// has not left yet, and would never return.
void end_of_life(Atomic<std::uintptr_t>& word, std::uintptr_t waiting, const char* what) noexcept;

/// Waiters in the order of their waits, in one pointer. Their nodes stand in their own frames. Not
/// thread-safe: a queue bit guards it.
class WaitChain {
 public:
  constexpr WaitChain() noexcept = default;
  explicit constexpr WaitChain(QueueNode* first) noexcept : first_(first) {}

  bool empty() const noexcept { return first_ == nullptr; }
  QueueNode* first() const noexcept { return first_; }

  void push_back(QueueNode& node) noexcept;
  void push_front(QueueNode& node) noexcept;
  /// REQUIRES: `node` is in this chain.
  void remove(QueueNode& node) noexcept;
  /// The same if the node is linked; else no effect.
  void remove_if_linked(QueueNode& node) noexcept;
  /// Removes and returns the first waiter; null if the chain is empty.
  QueueNode* pop_front() noexcept;

  /// Removes waiters until it wins one of them with kReady, and returns it; null if none is left. The caller
  /// wakes it after releasing the queue bit. The waits of the other removed waiters have ended otherwise.
  QueueNode* win_first() noexcept;
  /// Removes waiters from the front whose waits have ended otherwise, at most kPortion. True if there may be
  /// more.
  bool drop_gone() noexcept;
  /// Removes at most kPortion waiters, up to `end` if that is in the chain. Appends those that it wins to
  /// `won`. Returns their number.
  std::size_t win_portion(WaitChain& won, const QueueNode* end = nullptr) noexcept;
  /// Wakes all waiters, which were won, and empties the chain. REQUIRES: no queue bit is held.
  void wake_all() noexcept;

 private:
  QueueNode* first_ = nullptr;
};

/// A chain and its queue bit in one word.
class WaitQueue {
 public:
  constexpr WaitQueue() noexcept = default;
  /// Waits until a wake_all() in progress has ended: a woken waiter may destroy this object. BUG if a fiber
  /// or thread waits.
  ~WaitQueue() {
    if ((word_.load(acquire) & kWaking) != 0) [[unlikely]]
      wait_until_woken();
    end_of_life(word_, ~std::uintptr_t{0}, "a condition variable, wait group or latch");
  }
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  /// Takes the queue bit. The caller then owns the chain.
  WaitChain lock() noexcept;
  /// Puts the chain back and releases the bit. It does not touch the object afterwards: another thread may
  /// destroy it.
  void unlock(WaitChain chain) noexcept;

  /// Called with the queue bit held; releases it. Wins and wakes all waiters of `chain`, one portion in each
  /// section. Later waiters are not woken. REQUIRES: not waking().
  void unlock_and_wake_all(WaitChain chain) noexcept;
  /// True while a call of unlock_and_wake_all() is between two sections.
  bool waking() const noexcept { return (word_.load(relaxed) & kWaking) != 0; }
  void wait_until_woken() const noexcept;

  /// True if there are no waiters and the queue bit is free: no earlier holder touches this object any more.
  bool idle() const noexcept { return word_.load(acquire) == 0; }
  /// True if the queue bit is held.
  bool locked() const noexcept { return (word_.load(acquire) & kQueueBit) != 0; }
  bool destroyed() const noexcept { return word_.load(relaxed) == kDestroyed; }
  /// True if the chain has waiters.
  bool awaited() const noexcept { return (word_.load(relaxed) & ~(kQueueBit | kWaking)) != 0; }

 private:
  static constexpr std::uintptr_t kWaking = 2;

  Atomic<std::uintptr_t> word_{0};
};

}  // namespace weft::detail
