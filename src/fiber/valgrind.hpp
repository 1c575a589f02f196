// SPDX-License-Identifier: Apache-2.0
#pragma once

// What valgrind is told of stacks, if its header is there when weft is built (Debian: valgrind). Without it a
// switch looks to valgrind like a large frame, and most of what a fiber does afterwards like an error. A
// request is a few instructions that do nothing elsewhere; none is in a switch.

#include "base/sanitizers.hpp"

#include <cstddef>

#if __has_include(<valgrind/memcheck.h>) && !WEFT_ASAN && !WEFT_TSAN
#define WEFT_VALGRIND 1
#include <valgrind/memcheck.h>
#else
#define WEFT_VALGRIND 0
#endif

namespace weft {

/// [low, high) is a stack. Gives the number to forget it by; 0 outside of valgrind.
[[gnu::always_inline]] inline unsigned register_stack_with_valgrind(
    [[maybe_unused]] std::byte* low, [[maybe_unused]] std::byte* high) noexcept {
#if WEFT_VALGRIND
  return VALGRIND_STACK_REGISTER(low, high);
#else
  return 0;
#endif
}

[[gnu::always_inline]] inline void forget_stack_in_valgrind([[maybe_unused]] unsigned number) noexcept {
#if WEFT_VALGRIND
  VALGRIND_STACK_DEREGISTER(number);
#endif
}

/// [low, high) of a stack that is used anew: whatever frames were left in it, it may be written.
[[gnu::always_inline]] inline void open_stack_in_valgrind([[maybe_unused]] std::byte* low,
                                                          [[maybe_unused]] std::byte* high) noexcept {
#if WEFT_VALGRIND
  VALGRIND_MAKE_MEM_UNDEFINED(low, high - low);
#endif
}

}  // namespace weft
