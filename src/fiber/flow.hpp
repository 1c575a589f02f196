// SPDX-License-Identifier: Apache-2.0
#pragma once

// A flow of control that can be left and continued: a fiber, or the root stack of a scheduler's thread.
// Everything that must follow the flow and not the thread is here: machine registers, C++ exception state,
// and what the sanitizers want to know.
//
// Thread safety: a flow is used by the thread that runs it; from the store of machine.saved on it belongs
// to whoever resumes it next (P3, docs/design/switch.md).

#include "base/sanitizers.hpp"
#include "fiber/context.hpp"
#include "fiber/exception_state.hpp"

#include <cstddef>

namespace weft {

struct Flow {
  MachineContext machine;
  ExceptionState exceptions;  ///< of this flow, while it is left
  /// Where the thread that runs this flow keeps its exception state. Handed on from flow to flow at each
  /// switch, which saves looking up a thread-local; garbage while the flow is left.
  ExceptionState* thread_exceptions = nullptr;
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
/// thread. REQUIRES: to.machine.saved was seen as 1 (acquire). `from_ends` tells the sanitizers that `from`
/// will not be continued.
void switch_flow(Flow& from, Flow& to, bool from_ends = false) noexcept;

/// Makes `flow` the flow of the calling thread's root stack. Once, before the first switch from it.
void adopt_root_flow(Flow& flow) noexcept;

/// Makes `flow` start `entry(argument)` on the stack [stack_low, stack_top) when it is first switched to.
/// `entry` calls flow_started() first.
void prepare_flow(Flow& flow, std::byte* stack_low, std::byte* stack_top, ContextEntry entry,
                  void* argument) noexcept;

/// First thing in the entry of a new flow.
void flow_started(Flow& flow) noexcept;

/// Forgets a flow that has ended, or that never ran; it may be prepared again.
void forget_flow(Flow& flow) noexcept;

/// Tells ASan that [low, high), a free stack, is a stack again, whatever frames were left in it; and that
/// nobody may touch it any more.
void open_stack_memory(std::byte* low, std::byte* high) noexcept;
void close_stack_memory(std::byte* low, std::byte* high) noexcept;

}  // namespace weft
