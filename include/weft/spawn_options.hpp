// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace weft {

/// Options for a new fiber.
struct SpawnOptions {
  /// The name in messages, dumps and debuggers. It is copied and cut to 31 bytes. Empty: messages use the
  /// fiber's number.
  std::string_view name = {};
  /// The size of the stack in bytes, the closure included. It is rounded up, to at least 16 KiB. 0 means the
  /// default of 128 KiB. A stack costs address space; only pages that are touched cost memory. Spawning
  /// throws std::bad_alloc above 1 GiB, and if the address space or the kernel's guards (weft/memory.hpp) are
  /// used up.
  ///
  /// A stack overflow ends the program with the fiber's name. Code with frames of more than 64 KiB must be
  /// compiled with -fstack-clash-protection for that. The CMake target weft::weft sets this option.
  std::size_t stack_size = 0;
};

}  // namespace weft
