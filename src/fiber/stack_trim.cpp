// SPDX-License-Identifier: Apache-2.0
// Memory of free stacks goes back to the kernel (docs/design/stacks.md, "Trimming").
#include "base/clock.hpp"
#include "fiber/stack_pool.hpp"
#include "fiber/valgrind.hpp"

#include <mutex>
#include <utility>

namespace weft {

void StackPool::end_period() noexcept {
  std::scoped_lock locked(lock_);
  for (Shelf& shelf : shelves_) shelf.surplus = std::exchange(shelf.batches_min, shelf.batches);
}

void StackPool::give_up_free() noexcept {
  std::scoped_lock locked(lock_);
  for (Shelf& shelf : shelves_) {
    if (!shelf.loose.empty()) give_batch_locked(shelf, std::exchange(shelf.loose, {}));
    shelf.surplus = shelf.batches;
  }
}

bool StackPool::has_free() noexcept {
  std::scoped_lock locked(lock_);
  for (const Shelf& shelf : shelves_) {
    if (shelf.batches != 0 || !shelf.loose.empty()) return true;
  }
  return false;
}

// Without the lock while the kernel works: whoever holds the batch holds its slots alone.
bool StackPool::trim_until(std::int64_t time_ns, std::size_t& trimmed) noexcept {
  do {
    StackBatch batch = take_surplus();
    if (batch.empty()) return false;
    trimmed += batch.size();
    while (!batch.empty()) cool(batch.pop());
  } while (monotonic_ns() < time_ns);
  return true;
}

std::size_t StackPool::trim() noexcept {
  std::size_t trimmed = 0;
  end_period();
  while (trim_until(0, trimmed)) {}
  return trimmed;
}

StackBatch StackPool::take_surplus() noexcept {
  StackBatch batch;
  std::scoped_lock locked(lock_);
  for (Shelf& shelf : shelves_) {
    if (StackSlot* const first = take_oldest_locked(shelf)) {
      batch.attach(*first);
      break;
    }
  }
  return batch;
}

void StackPool::cool(StackSlot& slot) noexcept {
  StackSlab& slab = *slot.slab;
  std::byte* const low = slab.low(slot);
  const bool guarded = !slot.unguarded;
  if (slot.constructed) forget_stack_in_valgrind(std::exchange(slot.valgrind_number, 0));
  slot.constructed = false;  // also if its memory stays
  // All zero is a free slot without a control block, and so is the old content if this fails.
  static_cast<void>(sys::discard(low, static_cast<std::size_t>(slab.end(slot) - low)));
  give_cold(slab, slot, guarded);
}

}  // namespace weft
