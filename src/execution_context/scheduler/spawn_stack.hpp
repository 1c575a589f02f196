// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a scheduler's fibers have spawned and not waited for yet: bounded, the owner takes the newest,
// siblings take the oldest (S4, docs/design/scheduler.md). Newest first, a program that forks and joins goes
// through its tree in depth, so that few fibers live at a time; the oldest is the largest part of it.
//
// Thread safety: push() and pop() by the owner only; steal() and empty() by any thread.
// Invariants: SP1 top <= bottom <= top + capacity (modulo 2^32), but for a pop() in progress, which may stand
// one below. SP2 only the owner moves bottom; top only grows, one by one, each step by whoever takes the
// fiber. SP3 the owner takes the last one by a step of top, too: owner and thief race for it there. Litmus
// (store buffering, seq_cst): the owner takes bottom down, then looks at top; a thief looks at top, then at
// bottom. Source: Chase and Lev 2005; orders of Le, Pop, Cohen and Zappa Nardelli 2013, with seq_cst accesses
// in place of fences.

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/detail_names.hpp"

#include <cstdint>

namespace weft {

template <std::uint32_t kCapacity>
class BasicSpawnStack {
  static_assert((kCapacity & (kCapacity - 1)) == 0);

 public:
  /// False if it is full. Owner.
  [[nodiscard]] bool push(Fiber& fiber) noexcept {
    const std::uint32_t bottom = bottom_.load(relaxed);  // the owner's own
    // Acquire: pairs with the step of the thief that has read the slot we reuse.
    if (bottom - top_.load(acquire) == kCapacity) return false;
    slot(bottom).store(&fiber, relaxed);
    bottom_.store(bottom + 1, release);  // pairs with the load in steal(): the slot is seen
    return true;
  }

  /// The newest; null when empty. Owner.
  Fiber* pop() noexcept {
    const std::uint32_t bottom = bottom_.load(relaxed);
    if (top_.load(relaxed) == bottom) return nullptr;  // top only grows: it stays empty
    bottom_.store(bottom - 1, seq_cst);
    std::uint32_t top = top_.load(seq_cst);
    Fiber* fiber = nullptr;
    if (top != bottom) {
      fiber = slot(bottom - 1).load(relaxed);
      if (top != bottom - 1) return fiber;  // no thief gets as far: it would see the new bottom
      if (!top_.compare_exchange_strong(top, top + 1, seq_cst, relaxed)) fiber = nullptr;  // SP3
    }
    bottom_.store(bottom, relaxed);  // empty, with the top that has grown
    return fiber;
  }

  /// pop() where there are no thieves at all. Owner.
  Fiber* pop_alone() noexcept {
    const std::uint32_t bottom = bottom_.load(relaxed);
    if (top_.load(relaxed) == bottom) return nullptr;
    bottom_.store(bottom - 1, relaxed);
    return slot(bottom - 1).load(relaxed);
  }

  /// The oldest; null when empty, or when somebody else was faster. Any thread.
  Fiber* steal() noexcept {
    std::uint32_t top = top_.load(seq_cst);
    const std::uint32_t bottom = bottom_.load(seq_cst);
    if (static_cast<std::int32_t>(bottom - top) <= 0) return nullptr;
    Fiber* const fiber = slot(top).load(relaxed);
    // Success: nobody has taken it, so it is what stands there. Release: the owner may reuse the slot.
    return top_.compare_exchange_strong(top, top + 1, seq_cst, relaxed) ? fiber : nullptr;
  }

  /// Whether there was none a moment ago. Any thread.
  bool empty() const noexcept {
    const std::uint32_t top = top_.load(seq_cst);
    return static_cast<std::int32_t>(bottom_.load(seq_cst) - top) <= 0;
  }

 private:
  Atomic<Fiber*>& slot(std::uint32_t position) noexcept { return slots_[position & (kCapacity - 1)]; }

  alignas(kCacheLine) Atomic<std::uint32_t> top_{0};     // written by owner and thieves
  alignas(kCacheLine) Atomic<std::uint32_t> bottom_{0};  // written by the owner
  Atomic<Fiber*> slots_[kCapacity] = {};
};

using SpawnStack = BasicSpawnStack<256>;

}  // namespace weft
