// SPDX-License-Identifier: Apache-2.0
#pragma once

// A flow of control that can be left and continued: a fiber, or the root stack of a scheduler's thread.
// Everything that must follow the flow and not the thread is here: machine registers, C++ exception state,
// and what the sanitizers want to know.

#include "base/sanitizers.hpp"
#include "fiber/context.hpp"
#include "fiber/exception_state.hpp"

#include <cstddef>

namespace weft {

struct Flow {
  MachineContext machine;
  ExceptionState exceptions;
#if WEFT_ASAN
  void* asan_fake_stack = nullptr;
  const void* asan_stack_bottom = nullptr;
  std::size_t asan_stack_size = 0;
#endif
#if WEFT_TSAN
  void* tsan_fiber = nullptr;
#endif
};

/// Leaves `from`, the calling flow, for `to`; returns when `from` is continued, perhaps on another
/// thread. REQUIRES: to.machine.saved was seen as 1. `from_ends` tells the sanitizers that `from` will not
/// be continued.
void switch_flow(Flow& from, Flow& to, bool from_ends = false) noexcept;

/// Makes `flow` the flow of the calling thread's root stack. Once, before the first switch from it.
void adopt_root_flow(Flow& flow) noexcept;

}  // namespace weft
