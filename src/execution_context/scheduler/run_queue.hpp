// SPDX-License-Identifier: Apache-2.0
#pragma once

// The local queue of a scheduler: a bounded ring, first in first out, from which siblings steal (S4).
//
// Thread safety: push() and pop() by the owner only; steal_into() and the sizes by any thread.
// Invariants: RQ1 head <= tail <= head + capacity (modulo 2^32). RQ2 slots in [head, tail) hold runnable
// fibers, each taken by exactly one successful step of head. RQ3 only the owner moves tail, a step is always
// a release. Source: the run queue of Go's scheduler (runtime/proc.go, runqput, runqget, runqgrab).

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "fiber/fiber_queue.hpp"

#include <cstdint>

namespace weft {

template <std::uint32_t kCapacity>
class BasicRunQueue {
  static_assert((kCapacity & (kCapacity - 1)) == 0);

 public:
  static constexpr std::uint32_t capacity() noexcept { return kCapacity; }

  /// False if the ring is full. Owner.
  [[nodiscard]] bool push(Fiber& fiber) noexcept {
    const std::uint32_t tail = tail_.load(relaxed);  // the owner's own
    // Acquire: pairs with the release of a thief's step, which has read the slot we reuse.
    if (tail - head_.load(acquire) == kCapacity) return false;
    slot(tail).store(&fiber, relaxed);
    tail_.store(tail + 1, release);  // pairs with the acquire in steal_into(): the slot is seen
    return true;
  }

  /// The same after a pop() that brought a fiber: there is room. Owner.
  void push_after_pop(Fiber& fiber) noexcept {
    const std::uint32_t tail = tail_.load(relaxed);
    slot(tail).store(&fiber, relaxed);
    tail_.store(tail + 1, release);
  }

  /// The oldest; null when empty. Owner.
  Fiber* pop() noexcept {
    std::uint32_t head = head_.load(relaxed);
    for (;;) {
      if (head == tail_.load(relaxed)) return nullptr;
      Fiber* const fiber = slot(head).load(relaxed);
      // A thief may have taken it first: then head has moved (RQ2).
      if (head_.compare_exchange_weak(head, head + 1, acq_rel, relaxed)) return fiber;
    }
  }

  /// pop() where there are no thieves at all: without a read-modify-write. Owner.
  [[gnu::always_inline]] Fiber* pop_alone() noexcept {
    const std::uint32_t head = head_.load(relaxed);
    if (head == tail_.load(relaxed)) return nullptr;
    head_.store(head + 1, release);
    return slot(head).load(relaxed);
  }

  /// Who pop() would probably bring, perhaps long gone: only good to be prefetched. Owner.
  const Fiber* oldest() const noexcept { return slots_[head_.load(relaxed) & (kCapacity - 1)].load(relaxed); }

  /// Where the next one is pushed. Positions grow, modulo 2^32. Owner.
  std::uint32_t end() const noexcept { return tail_.load(relaxed); }
  /// Where the oldest one was pushed, or end(); thieves move it on.
  std::uint32_t begin() const noexcept { return head_.load(relaxed); }
  /// Whether everything that was pushed before `position` has been taken. Of positions less than 2^31 ago.
  bool has_passed(std::uint32_t position) const noexcept {
    return static_cast<std::int32_t>(head_.load(relaxed) - position) >= 0;
  }

  /// Moves half of the fibers, rounded up so that a single one goes too, to the end of `thief`. Returns how
  /// many. REQUIRES: the caller owns `thief`, which is empty.
  std::uint32_t steal_into(BasicRunQueue& thief) noexcept {
    std::uint32_t head = head_.load(acquire);
    const std::uint32_t to = thief.tail_.load(relaxed);
    for (;;) {
      const std::uint32_t size = tail_.load(acquire) - head;
      const std::uint32_t count = size - size / 2;
      if (count == 0) return 0;
      if (size > kCapacity) {  // head was read before the owner went round: look again
        head = head_.load(acquire);
        continue;
      }
      for (std::uint32_t i = 0; i < count; ++i) {
        thief.slot(to + i).store(slot(head + i).load(relaxed), relaxed);
      }
      // Success: nobody has taken any of them, so what was copied is valid. Release: the owner may reuse the
      // slots.
      if (head_.compare_exchange_weak(head, head + count, acq_rel, acquire)) {
        thief.tail_.store(to + count, release);
        return count;
      }
    }
  }

  /// Moves the older half to `overflow`. Owner, when the ring is full.
  void shed_half(FiberQueue& overflow) noexcept {
    for (std::uint32_t i = 0; i < kCapacity / 2; ++i) {
      Fiber* const fiber = pop();
      if (fiber == nullptr) return;  // thieves were faster
      overflow.push(*fiber);
    }
  }

  /// How many there were a moment ago. Any thread.
  std::uint32_t size() const noexcept {
    const std::uint32_t head = head_.load(acquire);  // first: the tail read later is not behind it
    const std::uint32_t size = tail_.load(acquire) - head;
    return size < kCapacity ? size : kCapacity;
  }
  bool empty() const noexcept { return tail_.load(seq_cst) == head_.load(seq_cst); }

 private:
  Atomic<Fiber*>& slot(std::uint32_t position) noexcept { return slots_[position & (kCapacity - 1)]; }

  alignas(kCacheLine) Atomic<std::uint32_t> head_{0};  // written by the owner and thieves
  alignas(kCacheLine) Atomic<std::uint32_t> tail_{0};  // written by the owner
  Atomic<Fiber*> slots_[kCapacity] = {};
};

using RunQueue = BasicRunQueue<256>;

}  // namespace weft
