// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft::process {

/// What one of the three standard streams of a new process is. A value type.
class Stdio {
 public:
  /// That of this program, as it is. If it is closed here, it is closed there.
  static constexpr Stdio inherit() noexcept { return Stdio(Kind::kInherit); }
  /// /dev/null: nothing to read, and what is written is lost.
  static constexpr Stdio null() noexcept { return Stdio(Kind::kNull); }
  /// A pipe. This program has its other end: Child::input(), output(), error().
  static constexpr Stdio pipe() noexcept { return Stdio(Kind::kPipe); }
  /// A descriptor of this program, which stays its owner and keeps it open until the process has been
  /// started. Both share the open file: position, O_NONBLOCK, O_APPEND. Sockets and pipes of weft are
  /// O_NONBLOCK, which most programs do not expect; files are not.
  ///
  ///     auto log = weft::fs::File::open("log", {.access = weft::fs::Access::kWrite, .append =
  ///     true}).value(); command.standard_output(Stdio::descriptor(log.native_handle()));
  static constexpr Stdio descriptor(int number) noexcept { return Stdio(Kind::kDescriptor, number); }
  /// For standard error: where standard output goes. The two are in one stream, in the order of writing.
  static constexpr Stdio to_output() noexcept { return Stdio(Kind::kToOutput); }

 private:
  friend class Command;
  friend class Launch;
  friend class Streams;
  enum class Kind : std::uint8_t { kUnset, kInherit, kNull, kPipe, kDescriptor, kToOutput };

  constexpr Stdio() noexcept = default;
  constexpr bool is_set() const noexcept { return kind_ != Kind::kUnset; }
  constexpr explicit Stdio(Kind kind, int number = -1) noexcept : kind_(kind), number_(number) {}

  Kind kind_ = Kind::kUnset;
  int number_ = -1;
};

}  // namespace weft::process
