// SPDX-License-Identifier: Apache-2.0
#pragma once

// One place for a fiber: guard, stack, closure, control block, and this header, from the low end to the
// high one. Slots of a size class stand side by side in slabs (stack_slab.hpp).

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

#include <cstddef>
#include <cstdint>

namespace weft {

class StackSlab;

/// The top of a slot. Its memory is never unmapped, and all zero is a valid value: a slot that was never
/// used, or whose pages were given back.
struct alignas(kCacheLine) StackSlot {
  /// How many keep what is in the slot; 0 is free. Any thread may look at it at any time, so nothing but
  /// the fiber's reference counting writes it: fiber.hpp.
  Atomic<std::uint32_t> references;
  /// A control block was constructed here and lives on from fiber to fiber. Owner of the slot only.
  bool constructed;
  /// Nothing below the stack stops a fiber that overflows it: fiber/unguarded.hpp. Owner of the slot only.
  bool unguarded;
  unsigned valgrind_number;  ///< of the stack, while `constructed`
  StackSlab* slab;
  StackSlot* next;   ///< in its batch, while free
  StackSlot* newer;  ///< of a batch's first slot: the batches before and after it in the pool
  StackSlot* older;
  std::uint32_t batch_size;

  std::byte* high() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
};

static_assert(sizeof(StackSlot) == kCacheLine);

/// Free slots of one class, the one used last on top. Not thread-safe.
class StackBatch {
 public:
  static constexpr std::uint32_t kSizeMax = 32;

  bool empty() const noexcept { return size_ == 0; }
  bool full() const noexcept { return size_ == kSizeMax; }
  std::uint32_t size() const noexcept { return size_; }

  void push(StackSlot& slot) noexcept {
    slot.next = first_;
    first_ = &slot;
    ++size_;
  }

  /// REQUIRES: not empty.
  StackSlot& pop() noexcept {
    StackSlot& slot = *first_;
    first_ = slot.next;
    --size_;
    return slot;
  }

  /// The batch as a chain that hangs on its first slot, and back.
  StackSlot* detach() noexcept {
    StackSlot* const first = first_;
    first->batch_size = size_;
    first_ = nullptr;
    size_ = 0;
    return first;
  }
  void attach(StackSlot& first) noexcept {
    first_ = &first;
    size_ = first.batch_size;
  }

 private:
  StackSlot* first_ = nullptr;
  std::uint32_t size_ = 0;
};

}  // namespace weft
