// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/sanitizers.hpp"
#include "fiber/context.hpp"

#include <cstdint>
#include <ucontext.h>

namespace weft {

/// Where a thread was when a signal interrupted it.
using InterruptedRegisters = SavedRegisters;

/// Of the third argument of a SA_SIGINFO handler. Async-signal-safe.
[[gnu::always_inline]] WEFT_NO_SANITIZE inline InterruptedRegisters interrupted_registers(
    const void* signal_context) noexcept {
  const mcontext_t& machine = static_cast<const ucontext_t*>(signal_context)->uc_mcontext;
#if defined(__x86_64__)
  return {static_cast<std::uintptr_t>(machine.gregs[REG_RIP]),
          static_cast<std::uintptr_t>(machine.gregs[REG_RSP]),
          static_cast<std::uintptr_t>(machine.gregs[REG_RBP])};
#elif defined(__aarch64__)
  return {machine.pc, machine.sp, machine.regs[29]};
#else
#error "weft does not know this architecture's signal frame"
#endif
}

}  // namespace weft
