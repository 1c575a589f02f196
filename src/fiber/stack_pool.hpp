// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where fibers get their stacks, and leave them for the next one.
//
// A thread that runs fibers has a StackCache: two batches of free slots for each size class, without locks,
// the slot used last on top as its page is warm. When the cache is empty or full, whole batches go between
// it and the pool in O(1) under the pool's lock (the magazines of Bonwick and Adams, "Magazines and Vmem",
// 2001). docs/design/stacks.md has the life of a slot.
//
// Thread safety: StackPool any thread; StackCache its thread only.
// Guarantees: memory of slots is never unmapped and reads as zero or as the last control block, so that
// for_each_slot() is safe at any time. No syscall under a lock (L10).

#include "base/spin_lock.hpp"
#include "fiber/stack_slab.hpp"

#include <array>

namespace weft {

inline constexpr std::size_t kDefaultStackSize = 128 * 1024;

struct StackPoolOptions {
  bool guard_by_mprotect = false;       ///< as on kernels without MADV_GUARD_INSTALL
  std::uint32_t first_slab_slots = 64;  ///< each following slab is twice as large, up to slab_slots_max
  std::uint32_t slab_slots_max = 16'384;
};

/// When there are guards of no more than so many stacks by mprotect, what of the next one?
struct StackGuardLimit {
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  bool required = true;                 ///< it is not made
  std::uint32_t protected_max = kNone;  ///< with `required` false, for others need mappings, too
};

/// Destroying a pool leaves its slabs mapped.
class StackPool {
 public:
  explicit StackPool(StackPoolOptions options = {}) noexcept;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  /// The pool of the process; never destroyed.
  static StackPool& process() noexcept;

  /// A batch of free slots, guards in place; empty when there is no memory or no mapping left.
  StackBatch take_batch(int size_class) noexcept;
  /// Takes back slots of one class, at least one.
  void give_batch(StackBatch batch) noexcept;

  /// One slot, for those without a cache. Null as above.
  StackSlot* take(int size_class) noexcept;
  void give(StackSlot& slot) noexcept;

  // Trimming gives the memory of free slots back to the kernel: first it is decided how many, then they go in
  // portions (stack_trim.cpp). Any thread; several may do so at the same time.

  /// What was free all the time since the last call is to go, and a new period begins.
  void end_period() noexcept;
  /// What is free now is to go.
  void give_up_free() noexcept;
  /// Gives back what is to go until that time has come, and at least one batch; adds how many slots to
  /// `trimmed`. False if nothing is left.
  bool trim_until(std::int64_t time_ns, std::size_t& trimmed) noexcept;
  /// A period's end, and all that goes with it. Returns how many slots.
  std::size_t trim() noexcept;
  /// Whether something is free, and not in a cache.
  bool has_free() noexcept;

  /// Calls `visit(StackSlot&)` for every slot ever handed out, free ones too, but for inherited ones.
  template <class Visit>
  void for_each_slot(Visit&& visit) {
    // Acquire: pairs with the release in add_slab().
    for (StackSlab* slab = slabs_.load(acquire); slab != nullptr; slab = slab->next) {
      if (slab->size_class() != StackSizeClass::kNone) slab->for_each_slot(visit);
    }
  }

  /// The same for those whose fibers are, or were, of a home with such a mark (StackSlab::mark_of).
  template <class Wanted, class Visit>
  void for_each_marked_slot(Wanted&& wanted, Visit&& visit) {
    for (StackSlab* slab = slabs_.load(acquire); slab != nullptr; slab = slab->next) {
      if (slab->size_class() != StackSizeClass::kNone) slab->for_each_marked(wanted, visit);
    }
  }

  /// In a child of fork(): starts anew. The slots there are stay as they are, and are neither visited nor
  /// handed out; what is given back of them is lost. Touches no page of theirs: they are the parent's, too.
  void become_inherited() noexcept;

  bool guards_by_mprotect() const noexcept { return guard_by_mprotect_; }
  void set_guard_limit(const StackGuardLimit& limit) noexcept;
  /// A stack was refused as there was no mapping left for its guard.
  bool lacks_guards() const noexcept { return lacks_guards_.load(relaxed); }

 private:
  friend struct DebuggerLayout;

  /// The free slots of one size class. Guarded by lock_.
  struct Shelf {
    StackBatch loose;             ///< slots that came one by one
    StackSlot* newest = nullptr;  ///< full batches, as a list: taken from this end
    StackSlot* oldest = nullptr;  ///< and given back to the kernel from that one
    std::uint32_t batches = 0;
    std::uint32_t batches_min = 0;  ///< in this period: so many were never needed
    std::uint32_t surplus = 0;      ///< are to go
    std::uint32_t next_slab_slots = 0;
  };

  bool take_batch_locked(Shelf& shelf, StackBatch& batch) noexcept;
  void give_batch_locked(Shelf& shelf, StackBatch batch) noexcept;
  StackSlot* take_oldest_locked(Shelf& shelf) noexcept;
  StackBatch cut_batch(int size_class) noexcept;
  StackSlot* take_memory_locked(int size_class, StackSlab*& slab, bool& guarded) noexcept;
  bool install_guard(StackSlab& slab, StackSlot& slot) noexcept;
  bool protect_guard(std::byte* guard, std::size_t size) noexcept;
  bool add_slab(int size_class) noexcept;
  std::uint32_t grow_next_slab(int size_class) noexcept;
  StackBatch take_surplus() noexcept;
  void cool(StackSlot& slot) noexcept;
  void give_cold(StackSlab& slab, StackSlot& slot, bool guarded) noexcept;

  SpinLock lock_;
  bool guard_by_mprotect_;
  StackPoolOptions options_;
  // Relaxed, all of them: hints, that may be a stack or two late.
  Atomic<bool> guards_required_{true};
  Atomic<bool> lacks_guards_{false};
  Atomic<std::uint32_t> protected_max_{StackGuardLimit::kNone};
  Atomic<std::uint32_t> protected_{0};  ///< guards by mprotect; they stay for the life of the slot
  Atomic<StackSlab*> slabs_{nullptr};
  std::array<Shelf, StackSizeClass::kCount + 1>
      shelves_;  // the last one: inherited slots, which nobody takes
};

/// Where StackPool::process() stands; all zero until somebody asks for it. For debuggers, by their table
/// (execution_context/diagnostics/debugger_layout.hpp).
extern std::byte process_stack_pool[sizeof(StackPool)];

/// The free slots of one thread. Destroyed, or flushed, it leaves them to the pool.
class StackCache {
 public:
  explicit StackCache(StackPool& pool) noexcept : pool_(pool) {}
  ~StackCache() { flush(); }
  StackCache(const StackCache&) = delete;
  StackCache& operator=(const StackCache&) = delete;

  /// Null when there is no memory for another stack.
  StackSlot* take(int size_class) noexcept {
    Magazine& magazine = magazines_[static_cast<std::size_t>(size_class)];
    if (magazine.loaded.empty()) [[unlikely]]
      return take_slow(magazine, size_class);
    return &magazine.loaded.pop();
  }

  void give(StackSlot& slot) noexcept {
    Magazine& magazine = magazines_[static_cast<std::size_t>(slot.slab->size_class())];
    if (magazine.loaded.full()) [[unlikely]]
      make_room(magazine);
    magazine.loaded.push(slot);
  }

  void flush() noexcept;

  StackPool& pool() noexcept { return pool_; }

  /// Numbers for new fibers, unique in the process; handed out in blocks to keep threads apart.
  std::uint64_t next_fiber_id() noexcept {
    if (next_id_ == ids_end_) [[unlikely]]
      take_ids();
    return next_id_++;
  }

 private:
  struct Magazine {
    StackBatch loaded;
    StackBatch spare;  ///< full or empty: a thread at the edge of `loaded` does not go to the pool each time
  };

  StackSlot* take_slow(Magazine& magazine, int size_class) noexcept;
  void make_room(Magazine& magazine) noexcept;
  void take_ids() noexcept;

  StackPool& pool_;
  std::uint64_t next_id_ = 0;
  std::uint64_t ids_end_ = 0;
  std::array<Magazine, StackSizeClass::kCount + 1> magazines_;  // as the pool's shelves
};

/// `count` numbers for fibers that nobody else gets: the first of them.
std::uint64_t take_fiber_ids(std::uint64_t count) noexcept;

}  // namespace weft
