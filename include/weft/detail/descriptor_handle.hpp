// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

namespace weft {

struct Descriptor;

namespace detail {

/// Names a descriptor. Operations refuse a stale handle. Copyable; the holder decides who owns the
/// descriptor.
struct DescriptorHandle {
  Descriptor* descriptor = nullptr;
  std::uint32_t generation = 0;

  explicit operator bool() const noexcept { return descriptor != nullptr; }
  DescriptorHandle take() noexcept { return std::exchange(*this, DescriptorHandle{}); }
};

}  // namespace detail
}  // namespace weft
