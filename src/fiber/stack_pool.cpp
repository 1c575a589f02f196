// SPDX-License-Identifier: Apache-2.0
#include "fiber/stack_pool.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

namespace weft {

StackPool::StackPool(StackPoolOptions options) noexcept
    : guard_by_mprotect_(options.guard_by_mprotect || !sys::probe_guards()), options_(options) {
  for (Shelf& shelf : shelves_) shelf.next_slab_slots = options.first_slab_slots;
}

void StackPool::become_inherited() noexcept {
  new (&lock_) SpinLock();
  // Acquire: as in for_each_slot(). One that another thread was about to add is lost.
  for (StackSlab* slab = slabs_.load(acquire); slab != nullptr; slab = slab->next) slab->become_inherited();
  for (Shelf& shelf : shelves_) {
    shelf = {};
    shelf.next_slab_slots = options_.first_slab_slots;
  }
}

// In static storage without a destructor: fibers and caches of other statics may end later.
alignas(StackPool) std::byte process_stack_pool[sizeof(StackPool)];

StackPool& StackPool::process() noexcept {
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.PlacementNew): alignas above
  static StackPool* const pool = new (process_stack_pool) StackPool();
  return *pool;
}

StackBatch StackPool::take_batch(int size_class) noexcept {
  {
    Shelf& shelf = shelves_[static_cast<std::size_t>(size_class)];
    StackBatch batch;
    std::scoped_lock locked(lock_);
    if (take_batch_locked(shelf, batch)) return batch;
  }
  return cut_batch(size_class);
}

void StackPool::give_batch(StackBatch batch) noexcept {
  StackSlot& first = batch.pop();
  batch.push(first);
  std::scoped_lock locked(lock_);
  give_batch_locked(shelves_[static_cast<std::size_t>(first.slab->size_class())], batch);
}

StackSlot* StackPool::take(int size_class) noexcept {
  {
    Shelf& shelf = shelves_[static_cast<std::size_t>(size_class)];
    std::scoped_lock locked(lock_);
    if (!shelf.loose.empty() || take_batch_locked(shelf, shelf.loose)) return &shelf.loose.pop();
  }
  StackBatch batch = cut_batch(size_class);
  if (batch.empty()) return nullptr;
  StackSlot& slot = batch.pop();
  if (!batch.empty()) give_batch(batch);
  return &slot;
}

void StackPool::give(StackSlot& slot) noexcept {
  Shelf& shelf = shelves_[static_cast<std::size_t>(slot.slab->size_class())];
  std::scoped_lock locked(lock_);
  shelf.loose.push(slot);
  if (shelf.loose.full()) give_batch_locked(shelf, std::exchange(shelf.loose, {}));
}

bool StackPool::take_batch_locked(Shelf& shelf, StackBatch& batch) noexcept {
  if (!shelf.loose.empty()) {
    batch = std::exchange(shelf.loose, {});
    return true;
  }
  if (shelf.newest == nullptr) return false;
  StackSlot& first = *shelf.newest;
  shelf.newest = first.older;
  (shelf.newest == nullptr ? shelf.oldest : shelf.newest->newer) = nullptr;
  shelf.batches_min = std::min(shelf.batches_min, --shelf.batches);
  shelf.surplus = std::min(shelf.surplus, shelf.batches);
  batch.attach(first);
  return true;
}

void StackPool::give_batch_locked(Shelf& shelf, StackBatch batch) noexcept {
  StackSlot* const first = batch.detach();
  first->newer = nullptr;
  first->older = shelf.newest;
  (shelf.newest == nullptr ? shelf.oldest : shelf.newest->newer) = first;
  shelf.newest = first;
  ++shelf.batches;
}

StackSlot* StackPool::take_oldest_locked(Shelf& shelf) noexcept {
  StackSlot* const first = shelf.oldest;
  if (first == nullptr || shelf.surplus == 0) return nullptr;
  shelf.oldest = first->newer;
  (shelf.oldest == nullptr ? shelf.newest : shelf.oldest->older) = nullptr;
  --shelf.surplus;
  shelf.batches_min = std::min(shelf.batches_min, --shelf.batches);
  return first;
}

// Few at first: a program with three fibers does not pay for 32.
StackBatch StackPool::cut_batch(int size_class) noexcept {
  StackBatch batch;
  std::uint32_t wanted = 1;
  while (batch.size() < wanted) {
    StackSlab* slab = nullptr;
    StackSlot* slot = nullptr;
    bool guarded = false;
    {
      std::scoped_lock locked(lock_);
      slot = take_memory_locked(size_class, slab, guarded);
      if (slot != nullptr) wanted = std::min(StackBatch::kSizeMax, 1 + slab->used() / 4);
    }
    if (slot == nullptr) {
      if (batch.empty() && add_slab(size_class)) continue;
      break;
    }
    guarded = guarded || install_guard(*slab, *slot);
    if (!guarded && guards_required_.load(relaxed)) {
      lacks_guards_.store(true, relaxed);
      give_cold(*slab, *slot, false);
      break;
    }
    slot->unguarded = !guarded;
    slot->slab = slab;
    batch.push(*slot);
  }
  return batch;
}

StackSlot* StackPool::take_memory_locked(int size_class, StackSlab*& slab, bool& guarded) noexcept {
  for (slab = slabs_.load(relaxed); slab != nullptr; slab = slab->next) {
    if (slab->size_class() != size_class) continue;
    if (StackSlot* const cold = slab->pop_cold(guarded); cold != nullptr) return cold;
    if (StackSlot* const unused = slab->take_unused(); unused != nullptr) return unused;
  }
  return nullptr;
}

bool StackPool::install_guard(StackSlab& slab, StackSlot& slot) noexcept {
  const std::size_t size = StackSlab::guard_size();
  if (!guard_by_mprotect_ && sys::install_guard(slab.guard(slot), size)) return true;
  return protect_guard(slab.guard(slot), size);
}

bool StackPool::protect_guard(std::byte* guard, std::size_t size) noexcept {
  if (protected_.load(relaxed) >= protected_max_.load(relaxed)) return false;
  if (!sys::protect(guard, size)) return false;
  protected_.fetch_add(1, relaxed);
  return true;
}

void StackPool::set_guard_limit(const StackGuardLimit& limit) noexcept {
  guards_required_.store(limit.required, relaxed);
  protected_max_.store(limit.required ? StackGuardLimit::kNone : limit.protected_max, relaxed);
}

// Two threads may add one each at the same time: the address space is used later.
bool StackPool::add_slab(int size_class) noexcept {
  StackSlab* const slab = StackSlab::create(size_class, grow_next_slab(size_class));
  if (slab == nullptr) return false;
  std::scoped_lock locked(lock_);
  slab->next = slabs_.load(relaxed);
  slabs_.store(slab, release);  // pairs with the acquire in for_each_slot()
  return true;
}

std::uint32_t StackPool::grow_next_slab(int size_class) noexcept {
  Shelf& shelf = shelves_[static_cast<std::size_t>(size_class)];
  std::scoped_lock locked(lock_);
  return std::exchange(shelf.next_slab_slots, std::min(2 * shelf.next_slab_slots, options_.slab_slots_max));
}

void StackPool::give_cold(StackSlab& slab, StackSlot& slot, bool guarded) noexcept {
  std::scoped_lock locked(lock_);
  slab.push_cold(slot, guarded);
}

}  // namespace weft
