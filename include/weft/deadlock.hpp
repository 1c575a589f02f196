// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string_view>

namespace weft {

/// A deadlock: nothing in the process can run any more, because every fiber and every thread that uses weft
/// waits for another one. Valid only during the call of the handler.
struct DeadlockReport {
  std::size_t fibers = 0;   ///< suspended fibers; no other fibers exist
  std::size_t threads = 0;  ///< threads outside of all contexts that wait for fibers
  std::string_view dump;    ///< the text of dump_to_string()
};

/// A leak: a context is shutting down, and some of its fibers do not end although they were cancelled. Valid
/// only during the call of the handler.
struct LeakReport {
  std::string_view context;
  std::size_t fibers = 0;
  std::chrono::nanoseconds shutting_down_for{0};
  std::string_view dump;  ///< the dump of those fibers
};

using DeadlockHandler = std::function<void(const DeadlockReport&)>;
using LeakHandler = std::function<void(const LeakReport&)>;

enum class DeadlockDetection {
  kOff,
  /// Reports only certain deadlocks: no thread outside of weft exists that could still wake a fiber. The
  /// default.
  kCertain,
  /// Assumes that threads which do not wait in weft never wake a fiber. For programs with threads of other
  /// libraries.
  kAssumeThreadsIdle,
};

/// Sets how deadlocks are detected. The environment variable WEFT_DEADLOCK_REPORT (off, certain,
/// assume-threads-idle) sets the default. Detection costs nothing while fibers run: the check is made once
/// the process has been idle for about 100 ms. It finds no deadlock while any fiber waits for a descriptor or
/// a deadline. Each deadlock is reported once. The program then keeps waiting, so that a debugger can be
/// attached. Any thread may call it.
void set_deadlock_detection(DeadlockDetection detection) noexcept;

/// Sets for how long a context may shut down before it is reported, once for each context. The default is
/// 2 s, or the value of the environment variable WEFT_LEAK_REPORT_MS. 0 switches the reports off. Any thread
/// may call it.
void set_leak_report_after(std::chrono::milliseconds threshold) noexcept;

/// Sets a handler that is called instead of printing to standard error. An empty handler restores printing.
/// The handler runs on a thread of the library, one call at a time. It may block, wake fibers or abort. It
/// must not call functions that suspend, and must not throw. Any thread may call it.
void set_deadlock_handler(DeadlockHandler handler);
void set_leak_handler(LeakHandler handler);

}  // namespace weft
