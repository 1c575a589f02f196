// SPDX-License-Identifier: Apache-2.0
#include "fiber/stack_pool.hpp"

#include <utility>

namespace weft {
namespace {

constexpr std::uint64_t kIdsInABlock = 1024;

Atomic<std::uint64_t> next_fiber_id{1};

}  // namespace

std::uint64_t take_fiber_ids(std::uint64_t count) noexcept {
  return next_fiber_id.fetch_add(count, relaxed);  // relaxed: only uniqueness matters
}

StackSlot* StackCache::take_slow(Magazine& magazine, int size_class) noexcept {
  std::swap(magazine.loaded, magazine.spare);
  if (magazine.loaded.empty()) magazine.loaded = pool_.take_batch(size_class);
  return magazine.loaded.empty() ? nullptr : &magazine.loaded.pop();
}

void StackCache::make_room(Magazine& magazine) noexcept {
  if (!magazine.spare.empty()) pool_.give_batch(std::exchange(magazine.spare, {}));
  std::swap(magazine.loaded, magazine.spare);
}

void StackCache::flush() noexcept {
  for (Magazine& magazine : magazines_) {
    if (!magazine.loaded.empty()) pool_.give_batch(std::exchange(magazine.loaded, {}));
    if (!magazine.spare.empty()) pool_.give_batch(std::exchange(magazine.spare, {}));
  }
}

void StackCache::take_ids() noexcept {
  next_id_ = take_fiber_ids(kIdsInABlock);
  ids_end_ = next_id_ + kIdsInABlock;
}

}  // namespace weft
