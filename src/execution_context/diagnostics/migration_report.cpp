// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/migration_report.hpp"

#include <weft/migration.hpp>

#include "base/standard_error.hpp"
#include "event_loop/migration/migration_log.hpp"
#include "execution_context/diagnostics/dump.hpp"
#include "execution_context/diagnostics/report_handler.hpp"
#include "execution_context/diagnostics/symbol.hpp"
#include "sys/address_text.hpp"

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace weft {
namespace {

ReportHandler<MigrationReport>& migration_handler() noexcept {
  // Never destroyed, as the monitor's thread never ends.
  alignas(ReportHandler<MigrationReport>) static std::byte storage[sizeof(ReportHandler<MigrationReport>)];
  static auto* const handler = new (storage) ReportHandler<MigrationReport>();
  return *handler;
}

MigrationReport::Step step_of(const MigrationStep& step) {
  return {.from = std::string(step.from.view()),
          .to = std::string(step.to.view()),
          .fiber = std::string(step.fiber.view()),
          .fiber_id = step.fiber_id,
          .backtrace = {step.frames.begin(), step.frames.begin() + step.frame_count}};
}

MigrationReport report_of(const MigrationEntry& entry) {
  const MigrationFacts& facts = entry.facts;
  MigrationReport report{
      .what = facts.turns ? MigrationReport::What::kTurns : MigrationReport::What::kTransfers,
      .fd = facts.fd,
      .local = sys::address_text(facts.local),
      .peer = sys::address_text(facts.peer),
      .count = facts.count,
      .within = std::chrono::milliseconds(facts.within_ms),
      .transfers = facts.transfers_in_all,
      .steps = {},
      .suppressed = entry.suppressed};
  for (std::size_t i = 0; i < entry.step_count; ++i) report.steps.push_back(step_of(entry.steps[i]));
  return report;
}

/// 4812 as "4,812".
std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, 1, ',');
  return digits;
}

/// "0.21 s".
std::string seconds_of(std::chrono::nanoseconds time) {
  const auto hundredths = std::chrono::duration_cast<std::chrono::milliseconds>(time).count() / 10;
  const std::string fraction = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + '.' + (fraction.size() == 1 ? "0" : "") + fraction + " s";
}

std::string file_of(const MigrationReport& report) {
  std::string text = (report.local.empty() ? "descriptor " : "socket ") + std::to_string(report.fd);
  if (report.local.empty()) return text;
  text += " (" + report.local;
  if (!report.peer.empty()) text += ", peer " + report.peer;
  return text + ')';
}

std::string headline_of(const MigrationReport& report) {
  std::string text = file_of(report);
  const std::string often = grouped(report.count) + " times in " + seconds_of(report.within);
  const bool transferred = report.what == MigrationReport::What::kTransfers;
  text += transferred ? " was transferred " + often + " between "
                      : " was waited on by turns, " + often + ", from ";
  if (report.steps.empty()) return text + "two contexts";
  return text + report.steps.front().from + " and " + report.steps.front().to;
}

std::string text_of(const MigrationReport::Step& step, const char* what) {
  std::string text = "weft:   ";
  if (step.from.empty()) {
    text += "beside it, in " + step.to + ", waited fiber " + step.fiber + '\n';
  } else {
    text += std::string(what) + " from " + step.from + " to " + step.to + ", fiber " + step.fiber + '\n';
  }
  for (const std::string& frame : describe_backtrace(step.backtrace, InnermostFrame::kReturnAddress))
    text += "weft:     " + frame + '\n';
  return text;
}

}  // namespace

std::string MigrationReport::to_string() const {
  std::string text = "weft: " + headline_of(*this) + '\n';
  const bool transferred = what == What::kTransfers;
  const char* const latest = transferred ? "transferred last" : "woken last";
  const char* const before = transferred ? "transferred before" : "woken before";
  for (const Step& step : steps) text += text_of(step, &step == steps.data() ? latest : before);
  text += transferred ? "weft:   each transfer is two system calls; one fiber that uses it, or "
                        "EventLoopStrategy::pinned()"
                        ", has none\n"
                      : "weft:   each turn is a wake-up across contexts; one context that uses it has none\n";
  if (suppressed != 0)
    text += "weft:   before it, " + grouped(suppressed) + " others like it were left out\n";
  return text;
}

void print_migration_report(const MigrationReport& report) { write_report_to_stderr(report.to_string()); }

void set_migration_diagnostics(MigrationDiagnostics diagnostics) {
  MigrationLog::instance().set(diagnostics.threshold, diagnostics.reports_per_minute);
  migration_handler().set(std::move(diagnostics.handler));
}

MigrationHistory migration_history() {
  // Some 20 KiB: not on a fiber's stack.
  const auto entries = std::make_unique<std::array<MigrationEntry, MigrationLog::kEntries>>();
  MigrationLog::Totals totals;
  const std::size_t count = MigrationLog::instance().copy(*entries, totals);
  MigrationHistory history{.reports = {}, .reported = totals.reported, .suppressed = totals.suppressed};
  for (std::size_t i = 0; i < count; ++i) history.reports.push_back(report_of((*entries)[i]));
  return history;
}

void tell_about_migrations() {
  MigrationEntry entry;
  while (MigrationLog::instance().take(entry)) {
    migration_handler().tell(report_of(entry), print_migration_report);
  }
}

void make_migration_handler() noexcept { migration_handler(); }

}  // namespace weft
