// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft {

/// A report about a descriptor that two execution contexts use by turns. Its registration is transferred from
/// event loop to event loop, or its events wake fibers across contexts again and again. Nothing fails, but
/// each turn costs time. docs/guide/strategies.md says how to avoid it. A value; it keeps nothing alive.
struct MigrationReport {
  enum class What : std::uint8_t {
    kTransfers,  ///< transfers of the registration to another event loop: two system calls each
    kTurns,  ///< events that woke a fiber of a different context than the event before: one wake-up across
             ///< contexts each
  };

  /// One transfer, or one wake-up across contexts.
  struct Step {
    /// The context of the loop that the registration left, or of the loop that received the event: its name
    /// in quotes, with the number of its thread if fibers are pinned to threads. Empty if the fiber only
    /// waited at that moment.
    std::string from;
    std::string to;     ///< the fiber's context
    std::string fiber;  ///< the name in all messages: `"writer" (128 KiB stack, spawned at chat.cpp:42)`
    std::uint64_t fiber_id = 0;
    /// The fiber's backtrace, innermost frame first; empty if the fiber was about to suspend. Follows frame
    /// pointers.
    std::vector<void*> backtrace;
  };

  What what = What::kTransfers;
  int fd = -1;                         ///< its number at the time; another file may have the number now
  std::string local;                   ///< "127.0.0.1:3443"; empty if it has no such address
  std::string peer;                    ///< the address of the other end, in the same form
  std::uint32_t count = 0;             ///< the number of transfers or turns...
  std::chrono::nanoseconds within{0};  ///< ...in this time, exact to some milliseconds
  std::uint64_t transfers = 0;         ///< transfers since it was opened
  std::vector<Step> steps;             ///< the last two steps, the latest first; one if the other was lost
  std::uint64_t suppressed = 0;        ///< descriptors that were not reported before, because of the limit

  /// The text that print_migration_report() prints, with functions and lines. Throws std::bad_alloc.
  std::string to_string() const;
};

using MigrationHandler = std::function<void(const MigrationReport&)>;

/// When a descriptor that is transferred again and again is reported, and to which handler.
struct MigrationDiagnostics {
  /// The number of transfers, or of turns, of one descriptor within a second. Each descriptor is reported at
  /// most once. 0 switches counting and reporting off. At most 65,535.
  std::uint32_t threshold = 1000;
  /// Further descriptors that reach the threshold in the same minute are counted, and never reported. Setting
  /// this starts a new minute.
  std::uint32_t reports_per_minute = 10;
  /// Called instead of print_migration_report(), shortly after the threshold is reached. It runs on a thread
  /// of the library, one call at a time. It may block. It must not call functions that suspend, and must not
  /// throw.
  MigrationHandler handler = {};
};

/// Replaces the settings of the process. The environment variable WEFT_MIGRATION_THRESHOLD sets the default
/// threshold if it is a number. A report in progress may still go to the previous handler. Any thread may
/// call it. Does not suspend.
void set_migration_diagnostics(MigrationDiagnostics diagnostics);

/// The reports so far.
struct MigrationHistory {
  std::vector<MigrationReport> reports;  ///< the last 16 at most, the oldest first
  std::uint64_t reported = 0;            ///< descriptors reported since the process began
  std::uint64_t suppressed = 0;          ///< descriptors that reached the threshold and were not reported
};

/// Returns the reports so far. A report is included as soon as the threshold was reached, whatever the
/// handler does. Any thread may call it. Does not suspend. Throws std::bad_alloc.
MigrationHistory migration_history();

/// Prints the report to standard error.
void print_migration_report(const MigrationReport& report);

}  // namespace weft
