// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who waits for an object of the synchronization family: the part that lies in the object. No promises about
// this header; src/sync/wait_queue.hpp has the protocol.

#include <weft/detail/atomic.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::detail {

struct QueueNode;

/// A lock in bit 0 of an object's word, for sections of a few dozen instructions. Whoever holds it may touch
/// the object's chains of waiters.
inline constexpr std::uintptr_t kQueueBit = 1;

/// What the word of an object is when the object was destroyed in a build with WEFT_CHECK_LOCKS: whoever uses
/// it finds the queue bit taken, by nobody. No node has such an address.
inline constexpr std::uintptr_t kDestroyed = 0xdead'dead'dead'dea3;

/// By the destructor of `what`. BUG if somebody waits, or is on the way out: a bit of `waiting` is set.
/// Nobody would ever come back from there.
void end_of_life(Atomic<std::uintptr_t>& word, std::uintptr_t waiting, const char* what) noexcept;

/// Waiters in their order, in one pointer: their nodes stand in their own frames. Not thread-safe: guarded by
/// a queue bit.
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
  /// The same if it is in it.
  void remove_if_linked(QueueNode& node) noexcept;
  /// The first waiter, taken off; null when empty.
  QueueNode* pop_front() noexcept;

  /// Takes waiters off until one of them is won with kReady, and returns it, to be woken after the queue bit
  /// is free; null if there is none left. The others have found another end and are on their way.
  QueueNode* win_first() noexcept;
  /// Takes those at the front off that have found another end, kPortion at most. True: there may be more of
  /// them.
  bool drop_gone() noexcept;
  /// Takes some off, kPortion at most, up to `end` if that is in the chain; those that are won move to the
  /// end of `won`. Returns how many.
  std::size_t win_portion(WaitChain& won, const QueueNode* end = nullptr) noexcept;
  /// Wakes all that were won, and empties the chain. REQUIRES: no queue bit is held.
  void wake_all() noexcept;

 private:
  QueueNode* first_ = nullptr;
};

/// A chain and its queue bit in one word.
class WaitQueue {
 public:
  constexpr WaitQueue() noexcept = default;
  /// Waits for a wake_all() that is going on: it may be woken who destroys this. BUG if somebody waits.
  ~WaitQueue() {
    if ((word_.load(acquire) & kWaking) != 0) [[unlikely]]
      wait_until_woken();
    end_of_life(word_, ~std::uintptr_t{0}, "a condition variable, wait group or latch");
  }
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  /// Takes the queue bit; the chain is then the caller's.
  WaitChain lock() noexcept;
  /// Puts the chain back. The last touch of this object: who sees the bit free may destroy it.
  void unlock(WaitChain chain) noexcept;

  /// With the queue bit, and `chain`, which it lets go: wins and wakes all that stand in the chain, a portion
  /// in a section. Who comes meanwhile is not woken. REQUIRES: not waking().
  void unlock_and_wake_all(WaitChain chain) noexcept;
  /// A call of the above is between two sections.
  bool waking() const noexcept { return (word_.load(relaxed) & kWaking) != 0; }
  void wait_until_woken() const noexcept;

  /// Nobody waits, and nobody holds the queue bit: who took it before has touched this object for the last
  /// time.
  bool idle() const noexcept { return word_.load(acquire) == 0; }
  /// Somebody holds the queue bit.
  bool locked() const noexcept { return (word_.load(acquire) & kQueueBit) != 0; }
  bool destroyed() const noexcept { return word_.load(relaxed) == kDestroyed; }
  /// Somebody stands in the chain.
  bool awaited() const noexcept { return (word_.load(relaxed) & ~(kQueueBit | kWaking)) != 0; }

 private:
  static constexpr std::uintptr_t kWaking = 2;

  Atomic<std::uintptr_t> word_{0};
};

}  // namespace weft::detail
