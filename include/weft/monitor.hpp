// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/source_location.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace weft {

/// A report about a fiber that has not suspended for a long time. All other fibers on its thread wait
/// meanwhile. Valid only during the call of the handler.
struct StuckReport {
  std::string_view context;
  std::uint32_t scheduler = 0;  ///< which thread of the context
  std::uint64_t fiber_id = 0;
  std::string_view
      fiber;  ///< the name in all messages: `"resize" (128 KiB stack, spawned at gallery.cpp:42)`
  /// The place where it was spawned.
  SourceLocation spawned_at = {};
  std::chrono::nanoseconds stuck_for{0};
  /// The fiber's backtrace a moment ago, innermost frame first. It goes through libc and code without frame
  /// pointers. Empty if it could not be taken: the fiber has suspended, or its thread blocks signals.
  std::span<void* const> backtrace;
};

using StuckHandler = std::function<void(const StuckReport&)>;

/// Sets after which time without a suspension a fiber is reported, once for each such time. The default is
/// 100 ms, or the value of the environment variable WEFT_STUCK_REPORT_MS. 0 switches the reports off. A
/// context may have a threshold of its own, see ParallelOptions::stuck_report_after. Fibers of isolated
/// contexts are never reported. Any thread may call it. Does not suspend.
void set_stuck_report_after(std::chrono::milliseconds threshold) noexcept;

/// Sets a handler that is called instead of print_stuck_report(). The handler gets every report. It runs on a
/// thread of the library, one call at a time, while the fiber keeps running. It may block. It must not call
/// functions that suspend, and must not throw. An empty handler restores printing, which prints one report a
/// minute for all fibers that were spawned at one place, with their number. Any thread may call it.
void set_stuck_handler(StuckHandler handler);

/// Prints the report to standard error, the backtrace with functions and, with debug information, lines.
void print_stuck_report(const StuckReport& report);

}  // namespace weft
