// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/source_location.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace weft {

/// A fiber that has kept its thread for a long time without suspending: everybody else on that thread waits.
/// Valid during the call of the handler only.
struct StuckReport {
  std::string_view context;
  std::uint32_t scheduler = 0;  ///< which thread of the context
  std::uint64_t fiber_id = 0;
  std::string_view fiber;  ///< as all messages name it: `"resize" (128 KiB stack, spawned at gallery.cpp:42)`
  /// Where it was spawned.
  SourceLocation spawned_at = {};
  std::chrono::nanoseconds stuck_for{0};
  /// Where it was a moment ago, innermost first, also below libc and code without frame pointers; empty if it
  /// could not be seen (it has moved on, or blocks signals).
  std::span<void* const> backtrace;
};

using StuckHandler = std::function<void(const StuckReport&)>;

/// Fibers that do not suspend for this long are reported, once for each time. The default is 100 ms, or what
/// the environment variable WEFT_STUCK_REPORT_MS says; 0 switches reports off. A context may have a threshold
/// of its own, see ParallelOptions::stuck_report_after. Isolated contexts are never reported. Any thread;
/// does not suspend.
void set_stuck_report_after(std::chrono::milliseconds threshold) noexcept;

/// What is called instead of print_stuck_report(); an empty handler restores that, which tells of the fibers
/// that were spawned at one place once a minute, with how many there were meanwhile. A handler is told of
/// each. It runs on a thread of the
/// library, one call at a time, while the fiber goes on: it may block, but not call what suspends, nor throw.
/// Any thread.
void set_stuck_handler(StuckHandler handler);

/// Prints the report to standard error, the backtrace with functions and, with debug information, lines.
void print_stuck_report(const StuckReport& report);

}  // namespace weft
