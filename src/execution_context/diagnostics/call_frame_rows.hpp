// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the compiler says of a function in .eh_frame (DWARF 5, 6.4; Linux Standard Base, 10.6): where, at a
// given instruction, the caller's registers are.

#include "execution_context/diagnostics/interrupted_flow.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace weft {

/// Where the caller's value of one register is found.
struct RegisterRule {
  enum class Kind : std::uint8_t {
    kSame,          ///< in the register
    kUndefined,     ///< nowhere; of the return address: there is no caller
    kAtOffset,      ///< in the word at CFA + number
    kIsOffset,      ///< CFA + number
    kInRegister,    ///< in register `number`
    kAtExpression,  ///< in the word at the address that `expression` gives
    kIsExpression,  ///< what `expression` gives
  };
  Kind kind = Kind::kSame;
  std::int64_t number = 0;
  std::span<const std::byte> expression = {};
};

/// The rules at one instruction. The canonical frame address (CFA) is that of the frame's outer end.
struct CallFrameRow {
  std::size_t cfa_register = 0;
  std::int64_t cfa_offset = 0;
  std::span<const std::byte> cfa_expression = {};  ///< not empty: it is the rule
  std::array<RegisterRule, FlowRegisters::kCount> rules{};
  bool signal_frame = false;  ///< its caller was interrupted, and had not made a call
};

/// The row that holds at an instruction; none if nothing is said of it, or in a form that is not known here.
/// Takes the unwinder's locks: not for signal handlers.
std::optional<CallFrameRow> call_frame_row(std::uintptr_t instruction) noexcept;

}  // namespace weft
