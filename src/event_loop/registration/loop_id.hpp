// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>

namespace weft {

/// Names an event loop; stays valid as a name after the loop is gone (L15). Zero names none.
struct LoopId {
  std::uint32_t index = 0;
  std::uint32_t generation = 0;

  explicit operator bool() const noexcept { return generation != 0; }
  friend bool operator==(const LoopId&, const LoopId&) noexcept = default;
};

}  // namespace weft
