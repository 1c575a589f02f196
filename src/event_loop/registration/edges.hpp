// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/descriptor/readiness.hpp"

namespace weft {

/// Which directions of a file a loop is told about.
struct Edges {
  bool read = false;   ///< data, end of file, urgent data, or a pending connection
  bool write = false;  ///< room to write, or connected
  bool end = false;    ///< the peer's end; told with `read`, too

  static constexpr Edges all() noexcept { return {.read = true, .write = true, .end = true}; }
  constexpr bool none() const noexcept { return !read && !write && !end; }
  constexpr bool has(Direction direction) const noexcept {
    return direction == Direction::kRead ? read : write;
  }
  friend bool operator==(const Edges&, const Edges&) noexcept = default;
};

}  // namespace weft
