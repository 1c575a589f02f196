// SPDX-License-Identifier: Apache-2.0
#include "fiber/stack_slab.hpp"

#include <algorithm>
#include <bit>
#include <new>

namespace weft {
namespace {

std::size_t round_up(std::size_t value, std::size_t unit) noexcept {
  return (value + unit - 1) / unit * unit;
}

/// What stands before the slots: the slab itself, the indexes of cold slots and the marks.
std::size_t header_size(std::uint32_t count) noexcept {
  return round_up(sizeof(StackSlab) + count * (sizeof(std::uint32_t) + sizeof(Atomic<std::uint32_t>)),
                  sys::page_size());
}

Result<sys::Mapping> map_slots(std::size_t stride, std::uint32_t& count) noexcept {
  for (;; count /= 2) {
    auto mapping = sys::Mapping::reserve(header_size(count) + count * stride);
    if (mapping || count == 1) return mapping;
  }
}

}  // namespace

int StackSizeClass::of_size(std::size_t size) noexcept {
  if (size > kPagesMax * sys::page_size()) return -1;  // before the arithmetic below can wrap
  const std::size_t pages_wanted =
      std::max(kPagesMin, std::bit_ceil((size + sys::page_size() - 1) / sys::page_size()));
  return std::countr_zero(pages_wanted) - std::countr_zero(kPagesMin);
}

StackSlab* StackSlab::create(int size_class, std::uint32_t count) noexcept {
  const std::size_t stride = StackSizeClass::stride_pages(size_class) * sys::page_size();
  auto mapping = map_slots(stride, count);
  if (!mapping) return nullptr;
  // A failure only means that the kernel has no huge pages.
  static_cast<void>(sys::disable_huge_pages(mapping->data(), mapping->size()));
  void* const memory = mapping->data();
  return new (memory) StackSlab(std::move(*mapping), size_class, count);
}

StackSlab::StackSlab(sys::Mapping mapping, int size_class, std::uint32_t count) noexcept
    : mapping_(std::move(mapping)),
      slots_(mapping_.data() + header_size(count)),
      cold_(reinterpret_cast<std::uint32_t*>(this + 1)),
      marks_(reinterpret_cast<Atomic<std::uint32_t>*>(cold_ + count)),
      stride_(StackSizeClass::stride_pages(size_class) * sys::page_size()),
      count_(count),
      size_class_(size_class) {}

StackSlot* StackSlab::take_unused() noexcept {
  const std::uint32_t used = used_.load(relaxed);  // written under the pool's lock only
  if (used == count_) return nullptr;
  used_.store(used + 1, release);  // pairs with for_each_slot()
  return &slot(used);
}

}  // namespace weft
