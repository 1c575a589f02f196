// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>

namespace weft {

struct Descriptor;

namespace detail {

/// Names an open file to its users; a stale one is refused. Copyable: owning it is its holder's business.
struct DescriptorHandle {
  Descriptor* descriptor = nullptr;
  std::uint32_t generation = 0;

  explicit operator bool() const noexcept { return descriptor != nullptr; }
  DescriptorHandle take() noexcept { return std::exchange(*this, DescriptorHandle{}); }
};

}  // namespace detail
}  // namespace weft
