// SPDX-License-Identifier: Apache-2.0
#include "part_process.hpp"
#include "scenario.hpp"

namespace weft::tool::compare {
namespace {

constexpr const char* kRate = "lines_per_second";
/// A measurement is as long as ten turns of the others.
constexpr int kScale = 10;
constexpr int kRounds = 5;

const char* const kVariants[] = {"mutex", "channel"};

constexpr CountedColumn kCounted[] = {
    {"transfers", "transfers", "event_loop.transfers"},
    {"registrations", "registrations", "event_loop.registrations"},
    {"cross_context_wakeups", "cross-context", "event_loop.cross_context_wakeups"},
    {"local_enqueues", "local enq.", "scheduler.local_enqueues"},
    {"global_enqueues", "global enq.", "scheduler.global_enqueues"},
    {"epoll_wait", "epoll_wait", "event_loop.polls"}};

const PartTable kTable{{kRate, "lines/s", 0}, "per_line", 4, kVariants, kCounted};

std::string seen(const Report& report) {
  std::string text;
  for (const Row& row : report.rows) {
    if (!row.measured() || row.strategy != "lifetime") continue;
    text += (text.empty() ? "lifetime: " : ", ") + figure_text(&row, "transfers", 4) +
            " transfers a line with a " + row.variant;
  }
  return text.empty() ? "nothing to compare" : text;
}

}  // namespace

Report run_bounce(const Options& options) {
  Report report;
  report.scenario = "bounce";
  report.title = "fibers of several contexts print lines to one socket: with a mutex, and through a channel";
  report.columns = kTable.columns();
  report.plotted = kRate;
  for (const std::uint32_t count :
       options.threads.empty() ? std::vector<std::uint32_t>{2} : options.threads) {
    for (const std::string& strategy : options.strategies) {
      Entry entry = part_entry(
          options, "bounce", strategy, count,
          {"--seconds", std::to_string(options.seconds * kScale), "--rounds", std::to_string(kRounds)});
      entry.launch.cpus.clear();  // all contexts are in it
      entry.row.labels.clear();
      add_rows_of_part(report, std::move(entry), kTable);
    }
  }
  report.expected =
      "a line that fits into the kernel's buffer waits for nothing, and only a wait transfers a socket: few "
      "transfers a line with a mutex under lifetime, next to none with one writing fiber";
  report.seen = seen(report);
  report.notes.push_back(
      "threads are the printing contexts, one thread each; counts are per line, without the reader's");
  return report;
}

}  // namespace weft::tool::compare
