// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft {

/// A file that two execution contexts use by turns: it moves from event loop to event loop, or is woken
/// across contexts again and again. Nothing fails, each turn only costs; docs/guide/strategies.md says what
/// to do about it. A value: keeps nothing alive.
struct MigrationReport {
  enum class What : std::uint8_t {
    kMoves,  ///< its registration moved to another event loop: two system calls each
    kTurns,  ///< an event woke a fiber of another context than the one before: a wake-up across contexts each
  };

  /// One move, or one wake-up across contexts.
  struct Step {
    /// The context that it left, or whose event loop took the event: its name in quotes, and which of its
    /// threads if its fibers are pinned to them. Empty if the fiber was merely waiting at that moment.
    std::string from;
    std::string to;     ///< the fiber's context
    std::string fiber;  ///< as all messages name it: `"writer" (128 KiB stack, spawned at chat.cpp:42)`
    std::uint64_t fiber_id = 0;
    /// Where the fiber was, innermost first; empty if it was on its way to sleep. Follows frame pointers.
    std::vector<void*> backtrace;
  };

  What what = What::kMoves;
  int fd = -1;                         ///< its number then; it may stand for another file by now
  std::string local;                   ///< "127.0.0.1:3443"; empty if it has no such address
  std::string peer;                    ///< likewise, of the other end
  std::uint32_t count = 0;             ///< how many moves or turns...
  std::chrono::nanoseconds within{0};  ///< ...in this time, to some milliseconds
  std::uint64_t moves = 0;             ///< moves since it was opened
  std::vector<Step> steps;             ///< the last two, the latest first; one if the other was lost
  std::uint64_t suppressed = 0;        ///< files before this one that were left out: they were too many

  /// What print_migration_report() prints, with functions and lines. Throws std::bad_alloc.
  std::string to_string() const;
};

using MigrationHandler = std::function<void(const MigrationReport&)>;

/// When files that keep moving are reported, and to whom.
struct MigrationDiagnostics {
  /// That many moves, or turns, of one file within a second; a file is reported once. 0: nothing is counted
  /// or reported. At most 65,535.
  std::uint32_t threshold = 1000;
  /// Files that reach it beyond that are counted, and never reported. The minute begins anew when this is
  /// set.
  std::uint32_t reports_per_minute = 10;
  /// Called instead of print_migration_report(). It runs on a thread of the library, one call at a time,
  /// shortly afterwards: it may block, but not call what suspends, nor throw.
  MigrationHandler handler = {};
};

/// Replaces the settings of the process. Without this call they are the defaults, the threshold being what
/// the environment variable WEFT_MIGRATION_THRESHOLD says, if it says a number. A report that is under way
/// may still go to the handler before. Any thread; does not suspend.
void set_migration_diagnostics(MigrationDiagnostics diagnostics);

/// What was seen so far.
struct MigrationHistory {
  std::vector<MigrationReport> reports;  ///< the last 16 at most, the oldest first
  std::uint64_t reported = 0;            ///< files, since the process began
  std::uint64_t suppressed = 0;          ///< files that reached the threshold and were not reported
};

/// Reads it: a report is there as soon as the threshold was reached, whatever the handler does. Any thread;
/// does not suspend. Throws std::bad_alloc.
MigrationHistory migration_history();

/// Prints the report to standard error.
void print_migration_report(const MigrationReport& report);

}  // namespace weft
