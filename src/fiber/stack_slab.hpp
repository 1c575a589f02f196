// SPDX-License-Identifier: Apache-2.0
#pragma once

// Many slots of one size class in one mapping: guards that cost no mapping of their own let a million
// stacks fit the default vm.max_map_count. Slabs are never unmapped (their slots are type-stable).
//
// Thread safety: the pool's lock guards used and cold_*; for_each_slot() is for any thread at any time.

#include "fiber/stack_slot.hpp"
#include "sys/mapping.hpp"

#include <utility>

namespace weft {

/// How slots of a size class are cut.
struct StackSizeClass {
  static constexpr int kCount = 17;
  static constexpr int kNone = kCount;         ///< no fiber gets one of these: slots from before a fork()
  static constexpr std::size_t kPagesMin = 4;  ///< class 0: 16 KiB
  static constexpr std::size_t kPagesMax = kPagesMin << (kCount - 1);  ///< 1 GiB

  /// The smallest class with at least `size` bytes of stack, -1 if there is none.
  static int of_size(std::size_t size) noexcept;
  static std::size_t pages(int size_class) noexcept { return kPagesMin << size_class; }
  /// What lies below each stack and kills the program when touched. Code that was compiled without
  /// -fstack-clash-protection (C libraries) may step over it with one frame; glibc takes up to 64 KiB at
  /// once. Costs address space, and so 120 bytes of page tables a fiber more than one page would.
  static std::size_t guard_pages() noexcept { return (64 * 1024 + sys::page_size() - 1) / sys::page_size(); }
  /// Stack, room for the colour, and guard: an odd number of pages, so that neighbours fall into different
  /// sets of the TLB.
  static std::size_t stride_pages(int size_class) noexcept {
    return (pages(size_class) + 1 + guard_pages()) | 1;
  }
};

class StackSlab {
 public:
  /// Maps a slab of `count` slots, or fewer if the address space is short. Null when not even one fits.
  static StackSlab* create(int size_class, std::uint32_t count) noexcept;

  /// Slots end at different places of their last page (Bonwick's cache colouring): if the same words of all
  /// fibers had the same place, they would share a few sets of the caches, and 64 fibers that take turns
  /// would find nothing of theirs. Few and small enough that a suspended fiber still fits one page.
  static constexpr std::uint32_t kColours = 8;
  static constexpr std::size_t kColourSize = 192;
  static_assert(kColourSize % kCacheLine == 0 && kColours * kColourSize <= 2048,
                "aligned, and within a page");

  int size_class() const noexcept { return size_class_; }
  void become_inherited() noexcept { size_class_ = StackSizeClass::kNone; }
  std::size_t stack_size() const noexcept { return stride_ - guard_size() - sys::page_size(); }
  std::uint32_t count() const noexcept { return count_; }
  std::size_t stride() const noexcept { return stride_; }

  StackSlot& slot(std::uint32_t index) noexcept {
    std::byte* const high = slots_ + (index + std::size_t{1}) * stride_ - index % kColours * kColourSize;
    return *reinterpret_cast<StackSlot*>(high - sizeof(StackSlot));
  }
  std::uint32_t index_of(StackSlot& slot) noexcept {
    return static_cast<std::uint32_t>(static_cast<std::size_t>(guard(slot) - slots_) / stride_);
  }
  /// The guard of the slot, its lowest pages: from here to low().
  std::byte* guard(StackSlot& slot) noexcept { return end(slot) - stride_; }
  static std::size_t guard_size() noexcept { return StackSizeClass::guard_pages() * sys::page_size(); }
  /// The lowest byte of the stack.
  std::byte* low(StackSlot& slot) noexcept { return guard(slot) + guard_size(); }
  /// Behind the last page of the slot: high(), and its colour.
  std::byte* end(StackSlot& slot) noexcept {
    const std::size_t page = sys::page_size();
    const auto last_byte = reinterpret_cast<std::uintptr_t>(slot.high()) - 1;
    return slot.high() + (page - 1 - last_byte % page);
  }

  /// The next slot that was never used, null if there is none left.
  StackSlot* take_unused() noexcept;
  std::uint32_t used() const noexcept { return used_.load(relaxed); }

  /// Slots whose memory was given back, or whose guard failed, stand here by index: they hold no links.
  void push_cold(StackSlot& slot, bool guarded) noexcept {
    cold_[cold_size_++] = index_of(slot) << 1 | std::uint32_t{guarded};
  }
  /// Null if there is none.
  StackSlot* pop_cold(bool& guarded) noexcept {
    if (cold_size_ == 0) return nullptr;
    const std::uint32_t cold = cold_[--cold_size_];
    guarded = (cold & 1) != 0;
    return &slot(cold >> 1);
  }

  /// Calls `visit(StackSlot&)` for each slot that was ever handed out.
  template <class Visit>
  void for_each_slot(Visit&& visit) {
    const std::uint32_t used = used_.load(acquire);
    for (std::uint32_t index = 0; index < used; ++index) visit(slot(index));
  }

  /// Whose fibers stand in the slot, as a number that others may share; stays when the slot becomes free.
  /// Beside each other: to look through 400,000 of them is to read 1.6 MB, and not as many pages.
  static std::uint32_t mark_of(const void* home) noexcept {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(home) / kCacheLine);
  }
  /// By the owner of the slot, before others can see that it is not free.
  void mark(StackSlot& slot, const void* home) noexcept {
    marks_[index_of(slot)].store(mark_of(home), relaxed);
  }
  /// Calls `visit(StackSlot&)` for each slot that was ever handed out and of whose mark `wanted(mark)` is
  /// true.
  template <class Wanted, class Visit>
  void for_each_marked(Wanted&& wanted, Visit&& visit) {
    const std::uint32_t used = used_.load(acquire);
    for (std::uint32_t index = 0; index < used; ++index) {
      if (wanted(marks_[index].load(relaxed))) [[unlikely]]
        visit(slot(index));
    }
  }

  StackSlab* next = nullptr;  ///< the slab made before this one; fixed once published

 private:
  friend struct DebuggerLayout;

  StackSlab(sys::Mapping mapping, int size_class, std::uint32_t count) noexcept;

  sys::Mapping mapping_;
  std::byte* slots_;
  std::uint32_t* cold_;           ///< room for all slots, untouched until needed
  Atomic<std::uint32_t>* marks_;  ///< of all slots
  std::size_t stride_;
  std::uint32_t count_;
  std::uint32_t cold_size_ = 0;
  int size_class_;
  Atomic<std::uint32_t> used_{0};
};

}  // namespace weft
