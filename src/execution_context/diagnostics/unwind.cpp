// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/unwind.hpp"

#include "execution_context/diagnostics/call_frame_rows.hpp"
#include "execution_context/diagnostics/dwarf_reader.hpp"

namespace weft {
namespace {

using Word = std::optional<std::uintptr_t>;
using Kind = RegisterRule::Kind;

/// The expressions that hand-written assembly and the linker use: those of procedure linkage tables, and of
/// glibc's return from a signal handler.
class Expression {
 public:
  Expression(const InterruptedFlow& flow, const FlowRegisters& registers) noexcept
      : flow_(flow), registers_(registers) {}

  Word value(std::span<const std::byte> bytes, Word first) noexcept {
    count_ = 0;
    if (first) push(*first);
    DwarfReader reader(bytes);
    while (!reader.done()) {
      if (!step(reader) || reader.failed()) return std::nullopt;
    }
    return count_ == 0 ? std::nullopt : Word(stack_[count_ - 1]);
  }

 private:
  bool step(DwarfReader& reader) noexcept {
    const std::uint8_t code = reader.byte();
    if (code >= 0x30 && code <= 0x4f) return push(code - 0x30u);                                // lit0..31
    if (code >= 0x70 && code <= 0x8f) return push_register(code - 0x70u, reader.signed_leb());  // breg0..31
    switch (code) {
      case 0x06: return dereference();
      case 0x08: return push(reader.byte());
      case 0x10: return push(reader.unsigned_leb());
      case 0x23: return count_ != 0 && push(pop() + reader.unsigned_leb());
      case 0x1a:
      case 0x1c:
      case 0x22:
      case 0x24:
      case 0x2a: return combine(code);
      default: return false;
    }
  }

  bool combine(std::uint8_t code) noexcept {
    if (count_ < 2) return false;
    const std::uintptr_t right = pop();
    const std::uintptr_t left = pop();
    switch (code) {
      case 0x1a: return push(left & right);
      case 0x1c: return push(left - right);
      case 0x22: return push(left + right);
      case 0x24: return push(right < 64 ? left << right : 0);
      default: return push(static_cast<std::intptr_t>(left) >= static_cast<std::intptr_t>(right) ? 1 : 0);
    }
  }

  bool dereference() noexcept {
    const Word word = count_ == 0 ? std::nullopt : flow_.word_at(pop());
    return word && push(*word);
  }
  bool push_register(std::size_t number, std::int64_t offset) noexcept {
    if (number >= registers_.values.size()) return false;
    return push(registers_.values[number] + static_cast<std::uintptr_t>(offset));
  }
  bool push(std::uintptr_t value) noexcept {
    if (count_ == stack_.size()) return false;
    stack_[count_++] = value;
    return true;
  }
  std::uintptr_t pop() noexcept { return stack_[--count_]; }

  const InterruptedFlow& flow_;
  const FlowRegisters& registers_;
  std::array<std::uintptr_t, 16> stack_{};
  std::size_t count_ = 0;
};

class Unwinder {
 public:
  explicit Unwinder(const InterruptedFlow& flow) noexcept : flow_(flow), registers_(flow.registers) {}

  std::uintptr_t instruction() const noexcept { return registers_.values[FlowRegisters::kInstruction]; }

  /// To the caller; false at the outermost frame, or where nothing more is known. Upwards only: no cycle.
  bool step() noexcept {
    const std::uintptr_t stack = registers_.values[FlowRegisters::kStackPointer];
    // A call may be the last instruction of a function: its return address is behind it.
    const std::optional<CallFrameRow> row = call_frame_row(interrupted_ ? instruction() : instruction() - 1);
    const bool left = row ? leave(*row) : leave_by_frame_pointer();
    return left && instruction() != 0 && registers_.values[FlowRegisters::kStackPointer] > stack;
  }

 private:
  bool leave(const CallFrameRow& row) noexcept {
    const Word cfa = cfa_of(row);
    if (!cfa) return false;
    FlowRegisters caller = registers_;
    caller.values[FlowRegisters::kStackPointer] = *cfa;
    for (std::size_t i = 0; i < row.rules.size(); ++i) {
      if (row.rules[i].kind == Kind::kSame) continue;
      const Word value = value_of(row.rules[i], *cfa);
      // Without the return address it is the outermost frame; other registers may be unknown.
      if (!value && i == FlowRegisters::kInstruction) return false;
      caller.values[i] = value.value_or(0);
    }
    registers_ = caller;
    interrupted_ = row.signal_frame;
    return true;
  }

  Word cfa_of(const CallFrameRow& row) noexcept {
    if (!row.cfa_expression.empty()) return Expression(flow_, registers_).value(row.cfa_expression, {});
    return registers_.values[row.cfa_register] + static_cast<std::uintptr_t>(row.cfa_offset);
  }

  Word value_of(const RegisterRule& rule, std::uintptr_t cfa) noexcept {
    switch (rule.kind) {
      case Kind::kAtOffset: return flow_.word_at(cfa + static_cast<std::uintptr_t>(rule.number));
      case Kind::kIsOffset: return cfa + static_cast<std::uintptr_t>(rule.number);
      case Kind::kInRegister:
        return static_cast<std::size_t>(rule.number) < registers_.values.size()
                   ? Word(registers_.values[static_cast<std::size_t>(rule.number)])
                   : std::nullopt;
      case Kind::kAtExpression: {
        const Word address = Expression(flow_, registers_).value(rule.expression, cfa);
        return address ? flow_.word_at(*address) : std::nullopt;
      }
      case Kind::kIsExpression: return Expression(flow_, registers_).value(rule.expression, cfa);
      default: return std::nullopt;
    }
  }

  bool leave_by_frame_pointer() noexcept {
    const std::uintptr_t frame = registers_.values[FlowRegisters::kFramePointer];
    if (frame < registers_.values[FlowRegisters::kStackPointer]) return false;
    const Word outer_frame = flow_.word_at(frame);
    const Word return_address = flow_.word_at(frame + sizeof(std::uintptr_t));
    if (!outer_frame || !return_address) return false;
    registers_.values[FlowRegisters::kFramePointer] = *outer_frame;
    registers_.values[FlowRegisters::kStackPointer] = frame + 2 * sizeof(std::uintptr_t);
    registers_.values[FlowRegisters::kInstruction] = *return_address;
    interrupted_ = false;
    return true;
  }

  const InterruptedFlow& flow_;
  FlowRegisters registers_;
  bool interrupted_ = true;  ///< the frame's instruction is the next one, not that behind a call
};

}  // namespace

std::size_t unwind(const InterruptedFlow& flow, std::span<void*> frames) noexcept {
  if (flow.word_count == 0) return 0;
  Unwinder unwinder(flow);
  std::size_t count = 0;
  do {
    if (count == frames.size()) break;
    frames[count++] = reinterpret_cast<void*>(unwinder.instruction());
  } while (unwinder.step());
  return count;
}

}  // namespace weft
