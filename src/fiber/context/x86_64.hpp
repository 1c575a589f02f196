// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a switch is entered on x86-64: the address to continue at goes in a register and the routine of
// x86_64.S is jumped to. A call would leave an entry on the CPU's stack of return addresses that no return
// takes off, so that every return after the switch is mispredicted: 23 ns a switch instead of 7.5 three
// calls deep (docs/design/switch.md).

#include "base/sanitizers.hpp"
#include "fiber/context.hpp"

#include <cstdint>

namespace weft {

/// Saves the calling flow in `from` and continues `to`; returns when somebody switches to `from` again,
/// perhaps on another thread. REQUIRES: as context.hpp says. Everything that a call may destroy is
/// declared as clobbered; what the callee keeps is kept by the routine.
[[gnu::always_inline]] inline void switch_context(MachineContext& from, MachineContext& to) noexcept {
  MachineContext* from_in_rdi = &from;
  MachineContext* to_in_rsi = &to;
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "jmp weft_switch_context\n"
      "1:"
      : "+D"(from_in_rdi), "+S"(to_in_rsi)
      :
      : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
        "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

/// Where a suspended flow goes on. REQUIRES: `context` is saved, and stays so meanwhile.
WEFT_NO_SANITIZE inline SavedRegisters saved_registers(const MachineContext& context) noexcept {
  const auto* const frame = static_cast<const std::uintptr_t*>(context.stack_pointer);
  return {.instruction = frame[6], .stack = reinterpret_cast<std::uintptr_t>(frame), .frame = frame[5]};
}

}  // namespace weft
