// SPDX-License-Identifier: Apache-2.0
#pragma once

// The machine half of a switch: registers and stack pointer, nothing else. One assembly file for each
// architecture in src/fiber/context/.
//
// Protocol (P3; docs/design/switch.md): `saved` is 1 while the registers are in memory and nobody runs on
// the stack. A switch saves `from`, leaves its stack, stores from.saved = 1 (release), and only then
// touches `to`'s registers. Whoever wants to resume a context must have seen its `saved` (acquire)
// *before* it calls switch_context(), without holding a stack that somebody else waits for: a scheduler
// therefore waits for a late `saved` on its own root stack, never on a fiber's.

#include "base/atomic.hpp"

#include <cstddef>
#include <cstdint>

namespace weft {

/// A suspended flow of control. The assembly knows the offsets.
struct MachineContext {
  void* stack_pointer = nullptr;
  Atomic<std::uint32_t> saved{0};
};

static_assert(offsetof(MachineContext, stack_pointer) == 0 && offsetof(MachineContext, saved) == 8,
              "context/*.S uses these offsets");

/// What a new context runs first; it never returns.
using ContextEntry = void (*)(void* argument);

extern "C" {

/// Saves the calling flow in `from` and continues `to`; returns when somebody switches to `from` again,
/// perhaps on another thread. REQUIRES: to.saved was seen as 1 by the caller, and no other thread will
/// resume `to`. Saves and restores the callee-saved registers, MXCSR and the x87 control word.
void weft_switch_context(MachineContext* from, MachineContext* to) noexcept;

/// Makes `context` start `entry(argument)` on the stack that ends (high end) at `stack_top`, 16-byte aligned.
void weft_prepare_context(MachineContext* context, void* stack_top, ContextEntry entry,
                          void* argument) noexcept;
}

}  // namespace weft
