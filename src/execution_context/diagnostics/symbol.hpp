// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Whether the innermost address of a backtrace is that of the next instruction, or the place that a call
/// returns to, as all the others are.
enum class InnermostFrame : bool { kExact, kReturnAddress };

/// A line for each frame, innermost first: `function at file.cpp:12` where there is debug information, calls
/// that were inlined included; else `function + 0x12 (program + 0x3456)`, of which addr2line wants the last
/// number. The library's own frames are left out, but for the call that the program made, unless there are no
/// others. The first call reads the symbols of the process: up to some hundred milliseconds, and as many
/// megabytes as they have. Any thread.
std::vector<std::string> describe_backtrace(std::span<void* const> addresses, InnermostFrame innermost);

/// The same, and where the program called the library: `main.cpp:12`, or the frame's line without debug
/// information. Empty if there are none but the library's own frames.
struct CallerDescription {
  std::string place;
  std::vector<std::string> frames;
};
CallerDescription describe_caller(std::span<void* const> addresses);

/// Of this library by its file, whatever directory the compiler or the linker said it from.
bool in_own_sources(std::string_view file);

/// Around fork(), by the thread that calls it: what was read of the symbols is read to the end first.
void lock_backtraces_for_fork() noexcept;
void unlock_backtraces_after_fork() noexcept;

}  // namespace weft
