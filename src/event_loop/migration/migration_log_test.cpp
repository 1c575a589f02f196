// SPDX-License-Identifier: Apache-2.0
#include "event_loop/migration/migration_log.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr MigrationKey kFile{.index = 1, .generation = 1};

MigrationStep step_to(std::string_view to) {
  MigrationStep step;
  step.to.add(to);
  return step;
}

/// Where each step of the oldest pending entry went; empty if there is none.
std::vector<std::string> take_steps(MigrationLog& log) {
  const auto entry = std::make_unique<MigrationEntry>();
  std::vector<std::string> steps;
  if (!log.take(*entry)) return steps;
  for (std::size_t i = 0; i < entry->step_count; ++i) steps.emplace_back(entry->steps[i].to.view());
  return steps;
}

using Steps = std::vector<std::string>;

class MigrationLogTest : public testing::Test {
 protected:
  void report(MigrationKey key, std::string_view to, std::int64_t now_ns) {
    log_.report(key, MigrationFacts{.local = {}, .peer = {}}, step_to(to), nullptr, now_ns);
  }
  MigrationLog::Totals totals() {
    MigrationLog::Totals totals;
    copied_ = log_.copy(*entries_, totals);
    return totals;
  }

  const std::unique_ptr<MigrationLog> log_owner_ = std::make_unique<MigrationLog>();
  MigrationLog& log_ = *log_owner_;
  const std::unique_ptr<std::array<MigrationEntry, MigrationLog::kEntries>> entries_ =
      std::make_unique<std::array<MigrationEntry, MigrationLog::kEntries>>();
  std::size_t copied_ = 0;
};

TEST_F(MigrationLogTest, AReportHasTheStepThatWasKeptBeforeIt) {
  log_.keep(kFile, step_to("a"), 0);
  EXPECT_FALSE(log_.pending());
  report(kFile, "b", kSecondNs / 2);
  EXPECT_TRUE(log_.pending());
  EXPECT_EQ(take_steps(log_), (Steps{"b", "a"}));
  EXPECT_FALSE(log_.pending());
  EXPECT_EQ(take_steps(log_), Steps{});
  EXPECT_EQ(totals().reported, 1u);
  EXPECT_EQ(copied_, 1u);  // told, and still to be read
}

TEST_F(MigrationLogTest, AStepOfAnEarlierFileOfTheRecordIsNotTakenForTheNewOnes) {
  log_.keep(kFile, step_to("old"), 0);
  report({.index = kFile.index, .generation = kFile.generation + 1}, "new", 1);
  EXPECT_EQ(take_steps(log_), Steps{"new"});
}

TEST_F(MigrationLogTest, AStepOfASecondAgoIsNotPartOfAReport) {
  log_.keep(kFile, step_to("a"), 0);
  report(kFile, "b", 5 * kSecondNs);
  EXPECT_EQ(take_steps(log_), Steps{"b"});
}

TEST_F(MigrationLogTest, AFileThatWaitsBesideItTakesThePlaceOfTheStepBefore) {
  log_.keep(kFile, step_to("a"), 0);
  const MigrationStep waiting = step_to("waiting");
  log_.report(kFile, MigrationFacts{.local = {}, .peer = {}}, step_to("b"), &waiting, 1);
  EXPECT_EQ(take_steps(log_), (Steps{"b", "waiting"}));
}

TEST_F(MigrationLogTest, TenThousandFilesMakeTenReportsAMinuteAndTheNextSaysHowManyThereWere) {
  constexpr std::uint32_t kFiles = 10'000;
  for (std::uint32_t i = 0; i < kFiles; ++i) {
    log_.keep({.index = i, .generation = 1}, step_to("a"), 0);
    report({.index = i, .generation = 1}, "b", 0);
  }
  EXPECT_EQ(totals().reported, MigrationLog::kReportsPerMinuteDefault);
  EXPECT_EQ(totals().suppressed, kFiles - MigrationLog::kReportsPerMinuteDefault);
  while (!take_steps(log_).empty()) {}
  report({.index = kFiles, .generation = 1}, "b", 61 * kSecondNs);
  const auto entry = std::make_unique<MigrationEntry>();
  ASSERT_TRUE(log_.take(*entry));
  EXPECT_EQ(entry->suppressed, kFiles - MigrationLog::kReportsPerMinuteDefault);
  EXPECT_EQ(entry->key.index, kFiles);
}

TEST_F(MigrationLogTest, WithEveryEntryPendingAReportIsSuppressedAndWithEveryEntryToldTheOldestGoes) {
  log_.set(1000, 1000);
  constexpr auto kEntries = static_cast<std::uint32_t>(MigrationLog::kEntries);
  for (std::uint32_t i = 0; i <= kEntries; ++i) report({.index = i, .generation = 1}, "b", 0);
  EXPECT_EQ(totals().suppressed, 1u);
  while (!take_steps(log_).empty()) {}
  report({.index = 1000, .generation = 1}, "c", 0);
  EXPECT_EQ(take_steps(log_), Steps{"c"});
  EXPECT_EQ(totals().reported, kEntries + 1);
  ASSERT_EQ(copied_, MigrationLog::kEntries);
  EXPECT_EQ((*entries_)[0].key.index, 1u);  // that of index 0 is gone
  EXPECT_EQ((*entries_)[MigrationLog::kEntries - 1].key.index, 1000u);
}

TEST_F(MigrationLogTest, FilesThatStopShortOfTheThresholdCostNeitherStepsNorReports) {
  report(kFile, "told", 0);
  EXPECT_EQ(take_steps(log_), Steps{"told"});
  for (std::uint32_t i = 10; i < 100; ++i) log_.keep({.index = i, .generation = 1}, step_to("a"), 0);
  const MigrationKey last{.index = 99, .generation = 1};
  report(last, "b", 0);
  EXPECT_EQ(take_steps(log_), (Steps{"b", "a"}));
  EXPECT_EQ(totals().reported, 2u);
  EXPECT_EQ(copied_, 2u);
}

TEST_F(MigrationLogTest, WhoTellsIsWokenAfterTheEntryIsThere) {
  static int wakeups = 0;
  wakeups = 0;
  log_.set_wakeup([]() noexcept { ++wakeups; });
  log_.keep(kFile, step_to("a"), 0);
  EXPECT_EQ(wakeups, 0);
  report(kFile, "b", 0);
  EXPECT_EQ(wakeups, 1);
}

}  // namespace
}  // namespace weft
