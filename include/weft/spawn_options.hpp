// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace weft {

/// How a fiber is started.
struct SpawnOptions {
  /// For messages, dumps and debuggers; copied, cut to 31 bytes. Empty: the fiber is known by its number.
  std::string_view name = {};
  /// Bytes of stack, the closure included; rounded up, to 16 KiB at least. 0 is the default of 128 KiB, which
  /// costs address space, not memory: only pages that are touched count. More than 1 GiB is refused: spawning
  /// throws std::bad_alloc, as it does when the address space, or the guards that the kernel has
  /// (weft/memory.hpp), are used up. An overflow is reported by the fiber's name; code that the CMake
  /// target weft::weft does not reach needs -fstack-clash-protection for that where it has frames of more
  /// than 64 KiB.
  std::size_t stack_size = 0;
};

}  // namespace weft
