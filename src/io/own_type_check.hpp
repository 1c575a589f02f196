// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a reader or writer of the user's own answers is checked where a loop or a buffer relies on it.

#include "base/panic.hpp"

#include <cstddef>

namespace weft::io {

/// `moved` bytes of the `size` that there was room for. BUG: none, which a loop would repeat for ever, or
/// more than that. The end of the file is Errc::end_of_file.
inline std::size_t checked_read(std::size_t moved, std::size_t size) {
  WEFT_ASSERT(moved > 0 && moved <= size,
              "an io::Reader has read no bytes, or more than its buffer has room for", WEFT_VALUE(moved),
              WEFT_VALUE(size));
  return moved;
}

/// The same for writing.
inline std::size_t checked_written(std::size_t moved, std::size_t size) {
  WEFT_ASSERT(moved > 0 && moved <= size, "an io::Writer has written no bytes, or more than it was given",
              WEFT_VALUE(moved), WEFT_VALUE(size));
  return moved;
}

}  // namespace weft::io
