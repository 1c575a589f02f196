// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/call_frame_rows.hpp"

#include "execution_context/diagnostics/dwarf_reader.hpp"

#include <string_view>

namespace weft {

/// libgcc's and LLVM libunwind's dwarf_eh_bases.
struct FunctionBases {
  void* text;
  void* data;
  void* function;
};

// Theirs too: the description of the function around an address.
// NOLINTNEXTLINE(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" const void* _Unwind_Find_FDE(void* instruction, FunctionBases* bases);

namespace {

using Kind = RegisterRule::Kind;
using Bytes = std::span<const std::byte>;

/// What descriptions of many functions have in common.
struct Common {
  std::uint64_t code_alignment = 1;
  std::int64_t data_alignment = 1;
  std::uint8_t pointer_encoding = 0;
  bool augmented = false;
  bool signal_frame = false;
  Bytes instructions;
};

/// The bytes of an entry after its length.
Bytes body_of(const std::byte* entry) noexcept {
  std::uint32_t length = 0;
  std::memcpy(&length, entry, sizeof(length));
  return {entry + sizeof(length), length};
}

void skip_pointer(DwarfReader& reader, std::uint8_t encoding) noexcept {
  constexpr std::uint8_t kOmitted = 0xff;
  if (encoding == kOmitted) return;
  switch (encoding & 0x0f) {
    case 0x1: reader.unsigned_leb(); break;
    case 0x9: reader.signed_leb(); break;
    case 0x2:
    case 0xa: reader.take(2); break;
    case 0x3:
    case 0xb: reader.take(4); break;
    default: reader.take(8);
  }
}

std::optional<Common> read_common(const std::byte* entry) noexcept {
  DwarfReader reader(body_of(entry));
  reader.take(sizeof(std::uint32_t));  // its mark
  const std::uint8_t version = reader.byte();
  const std::string_view augmentation(reinterpret_cast<const char*>(reader.rest().data()));
  reader.take(augmentation.size() + 1);
  if (version != 1 && version != 3) return std::nullopt;
  if (!augmentation.empty() && augmentation.front() != 'z') return std::nullopt;
  Common common;
  common.code_alignment = reader.unsigned_leb();
  common.data_alignment = reader.signed_leb();
  const std::uint64_t return_register = version == 1 ? reader.byte() : reader.unsigned_leb();
  if (return_register != FlowRegisters::kInstruction) return std::nullopt;
  common.augmented = !augmentation.empty();
  DwarfReader data(common.augmented ? reader.block() : Bytes());
  for (const char letter : augmentation) {
    if (letter == 'R') common.pointer_encoding = data.byte();
    if (letter == 'L') data.byte();
    if (letter == 'P') skip_pointer(data, data.byte());
    if (letter == 'S') common.signal_frame = true;
  }
  common.instructions = reader.rest();
  if (reader.failed()) return std::nullopt;
  return common;
}

/// Carries the instructions of a description out, up to those of one place in the function.
class RowMachine {
 public:
  RowMachine(const Common& common, std::uintptr_t function, std::uintptr_t target) noexcept
      : common_(common), location_(function), target_(target) {
    row_.signal_frame = common.signal_frame;
  }

  /// False: something is not known here.
  bool run(Bytes instructions) noexcept {
    DwarfReader reader(instructions);
    while (!reader.done() && location_ <= target_) {
      if (!step(reader) || reader.failed()) return false;
    }
    return true;
  }
  void end_of_common() noexcept { initial_ = row_; }
  const CallFrameRow& row() const noexcept { return row_; }

 private:
  static constexpr std::size_t kRememberedMax = 8;

  bool step(DwarfReader& reader) noexcept {
    const std::uint8_t code = reader.byte();
    const std::uint8_t low = code & 0x3f;
    switch (code >> 6) {
      case 1: return advance(low);
      case 2: return set(low, {Kind::kAtOffset, factored(reader.unsigned_leb())});
      case 3: return restore(low);
      default: return low < 0x10 || low == 0x13 ? step_of_rows(code, reader) : step_of_rules(code, reader);
    }
  }

  /// Locations, remembered rows, and the CFA.
  bool step_of_rows(std::uint8_t code, DwarfReader& reader) noexcept {
    switch (code) {
      case 0x00: return true;  // nop
      case 0x02: return advance(reader.byte());
      case 0x03: return advance(reader.fixed<std::uint16_t>());
      case 0x04: return advance(reader.fixed<std::uint32_t>());
      case 0x05: {
        const std::uint64_t number = reader.unsigned_leb();
        return set(number, {Kind::kAtOffset, factored(reader.unsigned_leb())});
      }
      case 0x06: return restore(reader.unsigned_leb());
      case 0x07: return set(reader.unsigned_leb(), {Kind::kUndefined});
      case 0x08: return set(reader.unsigned_leb(), {Kind::kSame});
      case 0x09: {
        const std::uint64_t number = reader.unsigned_leb();
        return set(number, {Kind::kInRegister, static_cast<std::int64_t>(reader.unsigned_leb())});
      }
      case 0x0a: return remember();
      case 0x0b: return recall();
      case 0x0c: {
        const std::uint64_t number = reader.unsigned_leb();
        return set_cfa(number, static_cast<std::int64_t>(reader.unsigned_leb()));
      }
      case 0x0d: return set_cfa(reader.unsigned_leb(), row_.cfa_offset);
      case 0x0e: return set_cfa(row_.cfa_register, static_cast<std::int64_t>(reader.unsigned_leb()));
      case 0x0f: row_.cfa_expression = reader.block(); return true;
      case 0x13: return set_cfa(row_.cfa_register, reader.signed_leb() * common_.data_alignment);
      default: return false;
    }
  }

  /// The rest of what gcc, clang and hand-written assembly use.
  bool step_of_rules(std::uint8_t code, DwarfReader& reader) noexcept {
    constexpr std::uint8_t kArgumentsSize = 0x2e;
    const std::uint64_t number = reader.unsigned_leb();
    switch (code) {
      case 0x10: return set(number, {Kind::kAtExpression, 0, reader.block()});
      case 0x11: return set(number, {Kind::kAtOffset, reader.signed_leb() * common_.data_alignment});
      case 0x12: return set_cfa(number, reader.signed_leb() * common_.data_alignment);
      case 0x14: return set(number, {Kind::kIsOffset, factored(reader.unsigned_leb())});
      case 0x15: return set(number, {Kind::kIsOffset, reader.signed_leb() * common_.data_alignment});
      case 0x16: return set(number, {Kind::kIsExpression, 0, reader.block()});
      case kArgumentsSize: return true;
      default: return false;
    }
  }

  std::int64_t factored(std::uint64_t number) const noexcept {
    return static_cast<std::int64_t>(number) * common_.data_alignment;
  }
  bool advance(std::uint64_t count) noexcept {
    location_ += count * common_.code_alignment;
    return true;
  }
  /// Vector registers and the like are of no interest.
  bool set(std::uint64_t number, const RegisterRule& rule) noexcept {
    if (number < row_.rules.size()) row_.rules[number] = rule;
    return true;
  }
  bool restore(std::uint64_t number) noexcept {
    if (number < row_.rules.size()) row_.rules[number] = initial_.rules[number];
    return true;
  }
  bool set_cfa(std::uint64_t number, std::int64_t offset) noexcept {
    if (number >= row_.rules.size()) return false;
    row_.cfa_register = number;
    row_.cfa_offset = offset;
    row_.cfa_expression = {};
    return true;
  }
  bool remember() noexcept {
    if (remembered_count_ == kRememberedMax) return false;
    remembered_[remembered_count_++] = row_;
    return true;
  }
  bool recall() noexcept {
    if (remembered_count_ == 0) return false;
    row_ = remembered_[--remembered_count_];
    return true;
  }

  const Common& common_;
  std::uintptr_t location_;
  const std::uintptr_t target_;
  CallFrameRow row_;
  CallFrameRow initial_;
  std::array<CallFrameRow, kRememberedMax> remembered_;
  std::size_t remembered_count_ = 0;
};

}  // namespace

std::optional<CallFrameRow> call_frame_row(std::uintptr_t instruction) noexcept {
  FunctionBases bases{};
  const auto* const entry =
      static_cast<const std::byte*>(_Unwind_Find_FDE(reinterpret_cast<void*>(instruction), &bases));
  if (entry == nullptr) return std::nullopt;
  const Bytes body = body_of(entry);
  DwarfReader reader(body);
  const auto to_common = reader.fixed<std::int32_t>();
  const std::optional<Common> common = read_common(body.data() - to_common);
  if (!common) return std::nullopt;
  skip_pointer(reader, common->pointer_encoding);  // where it begins, and its size
  skip_pointer(reader, common->pointer_encoding & 0x0f);
  if (common->augmented) reader.block();
  RowMachine machine(*common, reinterpret_cast<std::uintptr_t>(bases.function), instruction);
  if (!machine.run(common->instructions)) return std::nullopt;
  machine.end_of_common();
  if (!machine.run(reader.rest()) || reader.failed()) return std::nullopt;
  return machine.row();
}

}  // namespace weft
