// SPDX-License-Identifier: Apache-2.0
#include "part_process.hpp"
#include "scenario.hpp"
#include "table.hpp"

namespace weft::tool::compare {
namespace {

constexpr const char* kNs = "ns_per_wakeup";
/// A measurement is as long as ten turns of the others.
constexpr int kScale = 10;
constexpr int kRounds = 9;

const char* const kVariants[] = {"fiber, one context", "fiber, two contexts", "socket, one context",
                                 "socket, two contexts"};

constexpr CountedColumn kCounted[] = {
    {"local_enqueues", "local enq.", "scheduler.local_enqueues"},
    {"global_enqueues", "global enq.", "scheduler.global_enqueues"},
    {"cross_context_wakeups", "cross-context", "event_loop.cross_context_wakeups"},
    {"interrupts", "interrupts", "event_loop.interrupts"},
    {"unparks", "unparks", "scheduler.unparks"},
    {"epoll_wait", "epoll_wait", "event_loop.polls"},
    {"transfers", "transfers", "event_loop.transfers"}};

const PartTable kTable{{kNs, "ns/wake-up", 0}, "per_wakeup", 3, kVariants, kCounted};

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
  report.columns = kTable.columns();
  report.plotted = kNs;
  const std::vector<std::string> more{"--seconds", std::to_string(options.seconds * kScale), "--rounds",
                                      std::to_string(kRounds)};
  for (const std::string& strategy : options.strategies) {
    Entry entry = part_entry(options, "contention", strategy, 1, more);
    entry.launch.cpus.clear();  // both contexts are in it
    entry.row.labels.clear();
    add_rows_of_part(report, std::move(entry), kTable);
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
