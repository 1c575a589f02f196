// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string_view>

namespace weft {

/// Nothing in the process can run any more: every fiber and every thread that uses weft waits for another
/// one. Valid during the call of the handler only.
struct DeadlockReport {
  std::size_t fibers = 0;   ///< that are suspended: all there are
  std::size_t threads = 0;  ///< that wait for fibers, and are not of a context
  std::string_view dump;    ///< as dump_to_string() gives it
};

/// A context that is being closed, and fibers of it that do not end although they were cancelled. Valid
/// during the call of the handler only.
struct LeakReport {
  std::string_view context;
  std::size_t fibers = 0;
  std::chrono::nanoseconds closing_for{0};
  std::string_view dump;  ///< of those fibers
};

using DeadlockHandler = std::function<void(const DeadlockReport&)>;
using LeakHandler = std::function<void(const LeakReport&)>;

enum class DeadlockDetection {
  kOff,
  /// Only what is certain: there is no thread in the process that weft does not know and that could still
  /// wake a fiber. The default.
  kCertain,
  /// Threads that wait for nothing of weft's are taken to never wake a fiber. For programs with threads of
  /// other libraries.
  kAssumeThreadsIdle,
};

/// How deadlocks are looked for; the environment variable WEFT_DEADLOCK_REPORT (off, certain,
/// assume-threads-idle) is the default. Costs nothing while anything runs: it is looked once the process has
/// been idle for about 100 ms, and a single descriptor or deadline that is waited for ends the look. Each
/// deadlock is reported once; the program goes on waiting (another process may attach a debugger). Any
/// thread.
void set_deadlock_detection(DeadlockDetection detection) noexcept;

/// Contexts that have been closing for this long are reported, once for each. The default is 2 s, or what
/// the environment variable WEFT_LEAK_REPORT_MS says; 0 switches reports off. Any thread.
void set_leak_report_after(std::chrono::milliseconds threshold) noexcept;

/// What is called instead of printing to standard error; an empty handler restores that. It runs on a thread
/// of the library, one call at a time; it may block, wake fibers or abort, but not call what suspends, nor
/// throw. Any thread.
void set_deadlock_handler(DeadlockHandler handler);
void set_leak_handler(LeakHandler handler);

}  // namespace weft
