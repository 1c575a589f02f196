// SPDX-License-Identifier: Apache-2.0
#include "part_process.hpp"
#include "progress.hpp"
#include "scenario.hpp"
#include "table.hpp"

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

constexpr const char* kNs = "ns_per_wakeup";
/// A measurement is as long as ten turns of the others.
constexpr int kScale = 10;
constexpr int kRounds = 9;

const char* const kVariants[] = {"fiber, one context", "fiber, two contexts", "socket, one context",
                                 "socket, two contexts"};

struct Counted {
  const char* key;
  const char* heading;
  const char* counter;
};
const Counted kCounted[] = {{"local_enqueues", "local enq.", "scheduler.local_enqueues"},
                            {"global_enqueues", "global enq.", "scheduler.global_enqueues"},
                            {"cross_context_wakeups", "cross-context", "event_loop.cross_context_wakeups"},
                            {"interrupts", "interrupts", "event_loop.interrupts"},
                            {"unparks", "unparks", "scheduler.unparks"},
                            {"epoll_wait", "epoll_wait", "event_loop.polls"},
                            {"transfers", "transfers", "event_loop.transfers"}};

std::vector<Column> columns() {
  std::vector<Column> columns{{kNs, "ns/wake-up", 0}};
  for (const Counted& counted : kCounted) columns.push_back({counted.key, counted.heading, 3});
  return columns;
}

void add_rows(Report& report, Entry entry) {
  progress(entry.row.strategy);
  const std::optional<nlohmann::json> result = run_part(entry);
  if (!result) {
    report.rows.push_back(entry.row);
    return;
  }
  for (const char* const variant : kVariants) {
    const nlohmann::json& measured = result->at(variant);
    Row row = entry.row;
    row.variant = variant;
    row.figures[kNs] = median_with_bounds(measured.at(kNs).get<std::vector<double>>());
    for (const Counted& counted : kCounted) {
      const nlohmann::json& counters = measured.at("per_wakeup");
      if (counters.contains(counted.counter))
        row.figures[counted.key] = {counters[counted.counter].get<double>()};
    }
    report.rows.push_back(row);
  }
}

std::string seen(const Report& report) {
  std::string text;
  for (const Row& row : report.rows) {
    const Row* const near = report.find(row.strategy, row.threads, kVariants[0]);
    if (row.variant != kVariants[1] || near == nullptr) continue;
    const double ratio = row.figure(kNs)->value / near->figure(kNs)->value;
    text += (text.empty() ? "a wake-up across contexts, times a local one: " : ", ") + row.strategy + " " +
            to_text({ratio}, 1);
  }
  return text.empty() ? "nothing to compare" : text;
}

}  // namespace

Report run_contention(const Options& options) {
  Report report;
  report.scenario = "contention";
  report.title = "wake-ups between fibers of one context and of two, and through sockets";
  report.columns = columns();
  report.plotted = kNs;
  const std::vector<std::string> more{"--seconds", std::to_string(options.seconds * kScale), "--rounds",
                                      std::to_string(kRounds)};
  for (const std::string& strategy : options.strategies) {
    Entry entry = part_entry(options, "contention", strategy, 1, more);
    entry.launch.cpus.clear();  // both contexts are in it
    entry.row.labels.clear();
    add_rows(report, std::move(entry));
  }
  report.expected =
      "a wake-up across contexts takes a lock and perhaps an interrupt, a local one neither; through "
      "sockets, lifetime "
      "wakes locally even between two contexts, dedicated never does";
  report.seen = seen(report);
  report.notes.push_back("16 pairs of fibers at once; counts are per wake-up, over all contexts and loops");
  return report;
}

}  // namespace weft::tool::compare
