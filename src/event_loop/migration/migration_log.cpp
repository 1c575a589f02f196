// SPDX-License-Identifier: Apache-2.0
#include "event_loop/migration/migration_log.hpp"

#include "base/environment.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

namespace weft {
namespace {

using State = MigrationEntry::State;

}  // namespace

MigrationLog& MigrationLog::instance() noexcept {
  // In static storage without a destructor: the monitor looks at it until the process is gone.
  alignas(MigrationLog) static std::byte storage[sizeof(MigrationLog)];
  static MigrationLog* const log = [] {
    auto* const made = new (storage) MigrationLog();
    const auto threshold = number_in_environment("WEFT_MIGRATION_THRESHOLD");
    if (threshold) {
      made->set(static_cast<std::uint32_t>(std::min<std::int64_t>(*threshold, MigrationWatch::kThresholdMax)),
                kReportsPerMinuteDefault);
    }
    return made;
  }();
  return *log;
}

void MigrationLog::set(std::uint32_t threshold, std::uint32_t reports_per_minute) noexcept {
  threshold_.store(std::min(threshold, MigrationWatch::kThresholdMax), relaxed);
  const std::scoped_lock lock(lock_);
  reports_per_minute_ = reports_per_minute;
  in_this_minute_ = 0;
}

// Of this file, and of the second that was counted; else null. Its place is free from now on.
const MigrationStep* MigrationLog::take_kept_locked(MigrationKey key, std::int64_t now_ns) noexcept {
  for (KeptMigrationStep& kept : kept_) {
    if (kept.order == 0 || kept.key != key) continue;
    kept.order = 0;
    return now_ns - kept.kept_ns < kKeptNs ? &kept.step : nullptr;
  }
  return nullptr;
}

// A free entry, or the one that was told first; null if nobody was told of any.
MigrationEntry* MigrationLog::find_room_locked() noexcept {
  MigrationEntry* room = nullptr;
  for (MigrationEntry& entry : entries_) {
    if (entry.state == State::kFree) return &entry;
    if (entry.state == State::kPending) continue;
    if (room == nullptr || entry.number < room->number) room = &entry;
  }
  return room;
}

bool MigrationLog::allowed_locked(std::int64_t now_ns) noexcept {
  if (in_this_minute_ == 0 || now_ns - minute_start_ns_ >= kMinuteNs) {
    minute_start_ns_ = now_ns;
    in_this_minute_ = 0;
  }
  if (in_this_minute_ >= reports_per_minute_) return false;
  ++in_this_minute_;
  return true;
}

// In the place of the oldest: what is to be reported comes soon, or not at all.
void MigrationLog::keep(MigrationKey key, const MigrationStep& step, std::int64_t now_ns) noexcept {
  const std::scoped_lock lock(lock_);
  [[maybe_unused]] const MigrationStep* const earlier = take_kept_locked(key, now_ns);
  KeptMigrationStep& oldest = *std::min_element(
      kept_.begin(), kept_.end(), [](const auto& one, const auto& two) { return one.order < two.order; });
  oldest.key = key;
  oldest.order = ++numbers_;
  oldest.kept_ns = now_ns;
  oldest.step = step;
}

void MigrationLog::report(MigrationKey key, const MigrationFacts& facts, const MigrationStep& latest,
                          const MigrationStep* other, std::int64_t now_ns) noexcept {
  {
    const std::scoped_lock lock(lock_);
    const MigrationStep* const kept = take_kept_locked(key, now_ns);
    MigrationEntry* const entry = find_room_locked();
    if (entry == nullptr || !allowed_locked(now_ns)) {
      ++totals_.suppressed;
      ++suppressed_since_;
      return;
    }
    if (other == nullptr) other = kept;
    entry->steps[0] = latest;
    if (other != nullptr) entry->steps[1] = *other;
    entry->step_count = other == nullptr ? 1 : 2;
    entry->state = State::kPending;
    entry->key = key;
    entry->number = ++numbers_;
    entry->facts = facts;
    entry->suppressed = std::exchange(suppressed_since_, 0);
    ++totals_.reported;
  }
  pending_.fetch_add(1, seq_cst);  // M6: then the wakeup looks whether the monitor is parked
  if (const auto wakeup = wakeup_.load(acquire)) wakeup();
}

void MigrationLog::become_inherited() noexcept {
  new (&lock_) SpinLock();
  // One by one: the caller's stack may be small.
  for (KeptMigrationStep& kept : kept_) kept.order = 0;
  for (MigrationEntry& entry : entries_) entry.state = State::kFree;
  totals_ = {};
  pending_.store(0, relaxed);
}

bool MigrationLog::take(MigrationEntry& copy) noexcept {
  const std::scoped_lock lock(lock_);
  MigrationEntry* oldest = nullptr;
  for (MigrationEntry& entry : entries_) {
    if (entry.state != State::kPending) continue;
    if (oldest == nullptr || entry.number < oldest->number) oldest = &entry;
  }
  if (oldest == nullptr) return false;
  oldest->state = State::kTold;
  pending_.fetch_sub(1, relaxed);
  copy = *oldest;
  return true;
}

std::size_t MigrationLog::copy(std::array<MigrationEntry, kEntries>& entries, Totals& totals) noexcept {
  std::size_t count = 0;
  {
    const std::scoped_lock lock(lock_);
    for (const MigrationEntry& entry : entries_) {
      if (entry.state == State::kPending || entry.state == State::kTold) entries[count++] = entry;
    }
    totals = totals_;
  }
  std::sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(count),
            [](const MigrationEntry& one, const MigrationEntry& two) { return one.number < two.number; });
  return count;
}

}  // namespace weft
