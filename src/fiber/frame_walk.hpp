// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/sanitizers.hpp"
#include "fiber/context.hpp"

#include <cstddef>
#include <cstdint>

namespace weft {

/// The return addresses of a flow that is where `registers` say, innermost first: how many. Follows frame
/// pointers, a frame being {the caller's frame pointer, the return address}, upwards within
/// [stack_low, stack_top) only, whatever stands there. The words are read as they are, whatever a sanitizer
/// thinks of them, and nothing is called that a sanitizer might have changed. Async-signal-safe.
WEFT_NO_SANITIZE inline std::size_t walk_frames(const SavedRegisters& registers, std::uintptr_t stack_low,
                                                std::uintptr_t stack_top, void** found,
                                                std::size_t count_max) noexcept {
  if (count_max == 0 || registers.stack < stack_low || registers.stack >= stack_top) return 0;
  std::size_t count = 0;
  found[count++] = reinterpret_cast<void*>(registers.instruction);
  std::uintptr_t lowest = registers.stack;
  std::uintptr_t frame = registers.frame;
  while (count < count_max && frame >= lowest && frame % sizeof(void*) == 0 &&
         frame <= stack_top - 2 * sizeof(void*)) {
    void* const* const words = reinterpret_cast<void* const*>(frame);
    if (words[1] == nullptr) break;
    found[count++] = words[1];
    lowest = frame + 2 * sizeof(void*);  // upwards only: no cycle
    frame = reinterpret_cast<std::uintptr_t>(words[0]);
  }
  return count;
}

}  // namespace weft
