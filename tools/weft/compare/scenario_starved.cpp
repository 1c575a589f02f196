// SPDX-License-Identifier: Apache-2.0
#include "part_process.hpp"
#include "scenario.hpp"
#include "table.hpp"

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

constexpr const char* kRatio = "p50_ratio";
/// A phase is as long as five turns of the others; five rounds of theirs are one.
constexpr int kScale = 5;

std::vector<Column> columns() {
  return {{"p50_us", "p50 us", 1},
          {"p99_us", "p99 us", 1},
          {"max_us", "max us", 0},
          {kRatio, "p50, x quiet", 2},
          {"events", "events", 0}};
}

Row row_of(const Entry& entry, const char* variant, const nlohmann::json& summary) {
  Row row = entry.row;
  row.variant = variant;
  if (!summary.is_object()) return row;
  for (const auto& [name, value] : summary.items()) row.figures[name] = {value.get<double>()};
  return row;
}

void add_rows(Report& report, Entry entry) {
  const std::optional<nlohmann::json> result = run_part(report, entry);
  if (!result) return;
  const Row quiet = row_of(entry, "quiet", result->value("quiet", nlohmann::json()));
  Row busy = row_of(entry, "busy", result->value("busy", nlohmann::json()));
  const Estimate* const before = quiet.figure("p50_us");
  const Estimate* const after = busy.figure("p50_us");
  if (before != nullptr && after != nullptr && before->value > 0)
    busy.figures[kRatio] = {after->value / before->value};
  report.rows.push_back(quiet);
  report.rows.push_back(busy);
}

std::string seen(const Report& report) {
  std::string text;
  for (const Row& row : report.rows) {
    if (row.figure(kRatio) == nullptr) continue;
    text += (text.empty() ? "median with busy threads, times the quiet one: " : ", ") + row.strategy + " " +
            figure_text(&row, kRatio, 2);
  }
  return text.empty() ? "nothing to compare" : text;
}

}  // namespace

Report run_starved(const Options& options) {
  Report report;
  report.scenario = "starved";
  report.title =
      "how late a context notices events on its sockets, while threads of another one are idle, and busy";
  report.columns = columns();
  report.plotted = "p99_us";
  const std::string seconds = std::to_string(options.seconds * kScale);
  const std::string rounds = std::to_string((options.rounds + kScale - 1) / kScale);
  for (const std::uint32_t count :
       options.threads.empty() ? std::vector<std::uint32_t>{1} : options.threads) {
    for (const std::string& strategy : options.strategies) {
      Entry entry =
          part_entry(options, "starved", strategy, count, {"--seconds", seconds, "--rounds", rounds});
      entry.launch.cpus.clear();  // both sides are in it
      entry.row.labels.clear();
      add_rows(report, std::move(entry));
    }
  }
  report.expected =
      "with a loop for each context, others' busy threads are none of its business: lifetime's median stays "
      "within "
      "twice the quiet one; process is late when a busy thread has taken the duty to poll along; dedicated "
      "is not, but "
      "wakes across contexts always";
  report.seen = seen(report);
  report.notes.push_back(
      "threads are those of the busy context; the busy ones compete for CPUs with the receiver and "
      "the sender too, which the quiet rows do not show");
  return report;
}

}  // namespace weft::tool::compare
