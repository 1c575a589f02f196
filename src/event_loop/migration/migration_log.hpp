// SPDX-License-Identifier: Apache-2.0
#pragma once

// The settings of the migration diagnostics, and what was written down: a few entries of static memory, and
// who may have one (docs/design/migration-diagnostics.md).
//
// Thread safety: any thread. The lock is innermost, and held for a copy of an entry.

#include "base/atomic.hpp"
#include "base/spin_lock.hpp"
#include "event_loop/migration/migration_entry.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace weft {

class MigrationLog {
 public:
  static constexpr std::size_t kEntries = 16;
  static constexpr std::uint32_t kThresholdDefault = 1000;
  static constexpr std::uint32_t kReportsPerMinuteDefault = 10;

  static MigrationLog& instance() noexcept;

  /// 0: nothing is counted.
  std::uint32_t threshold() const noexcept { return threshold_.load(relaxed); }  // a late reader counts on
  void set(std::uint32_t threshold, std::uint32_t reports_per_minute) noexcept;

  /// A step that is half of a report, if the threshold comes within the second.
  void keep(MigrationKey key, const MigrationStep& step, std::int64_t now_ns) noexcept;
  /// The threshold: `latest`, and `other` if it is known, else the step that was kept. Wakes who tells.
  void report(MigrationKey key, const MigrationFacts& facts, const MigrationStep& latest,
              const MigrationStep* other, std::int64_t now_ns) noexcept;

  /// In a child of fork(): nothing has been written down.
  void become_inherited() noexcept;

  /// The oldest entry that nobody was told of; false if there is none. Others keep it as told.
  bool take(MigrationEntry& entry) noexcept;
  bool pending() const noexcept { return pending_.load(seq_cst) != 0; }  // M6: see the monitor's park()
  /// What is called when an entry becomes pending; without a lock.
  void set_wakeup(void (*wakeup)() noexcept) noexcept { wakeup_.store(wakeup, release); }

  struct Totals {
    std::uint64_t reported = 0;
    std::uint64_t suppressed = 0;
  };
  /// Copies up to kEntries reports, the oldest first, and says how many; told or not.
  std::size_t copy(std::array<MigrationEntry, kEntries>& entries, Totals& totals) noexcept;

 private:
  static constexpr std::int64_t kKeptNs = 1'000'000'000;
  static constexpr std::int64_t kMinuteNs = 60'000'000'000;

  const MigrationStep* take_kept_locked(MigrationKey key, std::int64_t now_ns) noexcept;
  MigrationEntry* find_room_locked() noexcept;
  bool allowed_locked(std::int64_t now_ns) noexcept;

  Atomic<std::uint32_t> threshold_{kThresholdDefault};
  Atomic<std::uint32_t> pending_{0};
  Atomic<void (*)() noexcept> wakeup_{nullptr};

  SpinLock lock_;  // guards the rest
  std::array<KeptMigrationStep, kEntries> kept_;
  std::array<MigrationEntry, kEntries> entries_;
  std::uint64_t numbers_ = 0;
  std::uint32_t reports_per_minute_ = kReportsPerMinuteDefault;
  std::int64_t minute_start_ns_ = 0;
  std::uint32_t in_this_minute_ = 0;
  std::uint64_t suppressed_since_ = 0;  ///< since the last report
  Totals totals_;
};

}  // namespace weft
