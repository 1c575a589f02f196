// SPDX-License-Identifier: Apache-2.0
#pragma once

// The machine half of a switch: registers and stack pointer, nothing else. context/<arch>.S and .hpp have the
// code for each architecture, context/README.md says what they must provide.
//
// Protocol (P3; docs/design/switch.md): `saved` is 1 while the registers are in memory and nobody runs on
// the stack. switch_context() saves `from`, leaves its stack, clears to.saved, stores from.saved = 1
// (release), and only then touches `to`'s registers. Whoever wants to resume a context must have seen its
// `saved` (acquire) *before* calling, without holding a stack that somebody else waits for: a scheduler
// therefore waits for a late `saved` on its own root stack, never on a fiber's.

#include "base/atomic.hpp"

#include <cstddef>
#include <cstdint>

namespace weft {

/// A suspended flow of control. The assembly knows the offsets.
struct MachineContext {
  void* stack_pointer = nullptr;
  Atomic<std::uint32_t> saved{0};  ///< set and cleared by the switch, read by who wants to resume
};

static_assert(offsetof(MachineContext, stack_pointer) == 0 && offsetof(MachineContext, saved) == 8,
              "context/*.S uses these offsets");

/// What a walk over a suspended flow's frames begins with.
struct SavedRegisters {
  std::uintptr_t instruction;
  std::uintptr_t stack;
  std::uintptr_t frame;
};

/// What a new context runs first; it never returns.
using ContextEntry = void (*)(void* argument);

extern "C" {

/// Makes `context` start `entry(argument)` on the stack that ends (high end) at `stack_top`,
/// 16-byte aligned. It inherits the caller's floating-point control state, as a new thread does.
void weft_prepare_context(MachineContext* context, void* stack_top, ContextEntry entry,
                          void* argument) noexcept;
}

}  // namespace weft
