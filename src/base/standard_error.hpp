// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writing to standard error without being held up by whoever reads it, or does not: a fiber's thread, and the
// end of the program, must not hang on a full pipe or a stopped terminal. The description is shared with
// other processes, so it is never made non-blocking; each attempt is.
//
// Thread safety: any thread, at any time. Async-signal-safe; errno is kept.

#include <cstdint>
#include <string_view>

namespace weft {

/// Writes `text`, or what there is room for; waits up to `patience_ms` for more room when there is none, and
/// five times as long in all, however slowly it is read. What is left then is dropped, and the next text that
/// can be written says so. False if something was. Regular files are always written. Nothing raises SIGPIPE.
bool write_standard_error(std::string_view text, int patience_ms) noexcept;

/// For what is longer than a line, from threads that may wait a little: reports, dumps.
void write_report_to_stderr(std::string_view text) noexcept;

/// Texts that were dropped, or cut short, so far.
std::uint64_t dropped_standard_error() noexcept;

}  // namespace weft
