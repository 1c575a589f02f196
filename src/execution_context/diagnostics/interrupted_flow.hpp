// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a signal handler takes along of the thread that it interrupted, to be looked at by another thread: the
// handler itself calls nothing and follows nothing.

#include "base/sanitizers.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ucontext.h>

namespace weft {

/// The registers by their numbers in DWARF; the last is where the flow goes on.
struct FlowRegisters {
#if defined(__x86_64__)
  static constexpr std::size_t kCount = 17;
  static constexpr std::size_t kFramePointer = 6;
  static constexpr std::size_t kStackPointer = 7;
  static constexpr std::size_t kInstruction = 16;
#else
#error "weft does not know this architecture's signal frame"
#endif
  std::array<std::uintptr_t, kCount> values{};
};

struct InterruptedFlow {
  /// Of the innermost bytes of the stack; what is further out is not seen.
  static constexpr std::size_t kWordsMax = 64 * 1024 / sizeof(std::uintptr_t);
  /// Below the stack pointer, where a function that calls no other may keep what it saved.
  static constexpr std::size_t kRedZone = 128;

  FlowRegisters registers;
  std::uintptr_t stack_begin = 0;
  std::size_t word_count = 0;
  std::array<std::uintptr_t, kWordsMax> words{};

  /// The word at an address of the stack; none outside of what was copied.
  std::optional<std::uintptr_t> word_at(std::uintptr_t address) const noexcept {
    if (address < stack_begin || (address - stack_begin) % sizeof(std::uintptr_t) != 0) return std::nullopt;
    const std::size_t index = (address - stack_begin) / sizeof(std::uintptr_t);
    return index < word_count ? std::optional(words[index]) : std::nullopt;
  }

  /// By the handler, with its third argument, for a flow on the stack [stack_low, stack_top): nothing is
  /// copied if it has left that. Async-signal-safe.
  [[gnu::always_inline]] WEFT_NO_SANITIZE void copy(const void* signal_context, std::uintptr_t stack_low,
                                                    std::uintptr_t stack_top) noexcept {
    const mcontext_t& machine = static_cast<const ucontext_t*>(signal_context)->uc_mcontext;
    constexpr int kOrder[FlowRegisters::kCount] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                                   REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                                   REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    std::uintptr_t* const values = &registers.values[0];
    for (std::size_t i = 0; i < FlowRegisters::kCount; ++i)
      values[i] = static_cast<std::uintptr_t>(machine.gregs[kOrder[i]]);
    word_count = 0;
    const std::uintptr_t stack = values[FlowRegisters::kStackPointer];
    if (stack < stack_low || stack >= stack_top) return;
    const std::uintptr_t lowest = stack - stack_low < kRedZone ? stack_low : stack - kRedZone;
    stack_begin = lowest & ~(sizeof(std::uintptr_t) - 1);
    std::size_t count = (stack_top - stack_begin) / sizeof(std::uintptr_t);
    if (count > kWordsMax) count = kWordsMax;
    // Volatile: not made a call of memcpy(), which a sanitizer has changed.
    const auto* const from = reinterpret_cast<const volatile std::uintptr_t*>(stack_begin);
    std::uintptr_t* const to = &words[0];
    for (std::size_t i = 0; i < count; ++i) to[i] = from[i];
    word_count = count;
  }
};

}  // namespace weft
