// SPDX-License-Identifier: Apache-2.0
#include "scenario.hpp"

namespace weft::tool::compare {
namespace {

constexpr const char* kPerConnection = "transfers_per_connection";

std::vector<Entry> entries_of(const Options& options) {
  std::vector<Entry> entries;
  for (const std::uint32_t count :
       options.threads.empty() ? std::vector<std::uint32_t>{1} : options.threads) {
    for (const std::string& strategy : options.strategies)
      entries.push_back(part_entry(options, "handoff", strategy, count));
  }
  return entries;
}

/// From the server's start: transfers are made while a connection is young.
void add_transfers_per_connection(Row& row, const Measured& member) {
  const auto transfers = member.after.find("event_loop.transfers");
  const auto connections = member.after.find("handoff.connections");
  if (transfers == member.after.end() || connections == member.after.end() || connections->second <= 0)
    return;
  row.figures[kPerConnection] = {transfers->second / connections->second};
}

std::string seen(const Report& report) {
  std::string text;
  for (const Row& row : report.rows) {
    if (!row.measured() ||
        (row.strategy != "lifetime" && row.strategy != "pinned" && row.strategy != "process"))
      continue;
    text += (text.empty() ? "" : "; ") + row.strategy + ": " + figure_text(&row, kPerConnection, 2) +
            " transfers a connection, then " + figure_text(&row, "cross_context_wakeups", 3) +
            " cross-context wake-ups a request, CPU x " + figure_text(&row, "cpu_ratio", 2);
  }
  return text.empty() ? "nothing to compare" : text;
}

}  // namespace

Report run_handoff(const Options& options) {
  Report report = run_fleet(options, entries_of(options), {}, add_transfers_per_connection);
  report.columns.push_back({kPerConnection, "transfers/connection", 3, 1});
  report.scenario = "handoff";
  report.title = "accepted and authenticated in one context, served in another, " +
                 std::to_string(options.connections) + " kept-alive connections";
  report.expected =
      "lifetime transfers each connection once, and wakes locally from then on; pinned transfers none, and "
      "every "
      "request is a "
      "cross-context wake-up; process transfers none, and wakes across contexts whenever another context's "
      "thread polled";
  report.seen = seen(report);
  return report;
}

}  // namespace weft::tool::compare
