// SPDX-License-Identifier: Apache-2.0
#include "scenario.hpp"

#include <algorithm>

namespace weft::tool::compare {
namespace {

/// Those that show what the read policy alone makes, beside registration (L2).
const char* const kReadPolicyStrategies[] = {"rearm-thread", "lifetime"};

std::vector<Entry> entries_of(const Options& options) {
  const std::vector<std::uint32_t> threads =
      options.threads.empty() ? std::vector<std::uint32_t>{1, 2, 4} : options.threads;
  std::vector<Entry> entries;
  for (const std::uint32_t count : threads) {
    for (const std::string& strategy : options.strategies)
      entries.push_back(serve_entry(options, strategy, count));
  }
  for (const char* const strategy : kReadPolicyStrategies) {
    if (std::count(options.strategies.begin(), options.strategies.end(), strategy) != 0)
      entries.push_back(
          serve_entry(options, strategy, threads.front(), {"--read-to-eagain"}, "read to EAGAIN"));
  }
  return entries;
}

std::string seen(const Report& report) {
  std::string text = cpu_comparison(report, kReference, "lifetime-thread");
  for (const char* const strategy : {"lifetime-thread", "lifetime", kReference}) {
    for (const Row& row : report.rows) {
      if (row.strategy != strategy || !row.variant.empty() || !row.measured()) continue;
      text += (text.empty() ? "" : "; ") + std::string("epoll_ctl a request of ") + strategy + ": " +
              figure_text(&row, "epoll_ctl", 3);
      break;
    }
  }
  return text.empty() ? "nothing to compare" : text;
}

}  // namespace

Report run_http(const Options& options) {
  Report report = run_fleet(options, entries_of(options), {});
  report.scenario = "http";
  report.title = "HTTP, " + std::to_string(options.connections) + " kept-alive connections";
  report.expected =
      "without an add and a delete for each wait the server takes less CPU: rearm-thread at least 1.20 times "
      "what "
      "lifetime-thread takes; epoll_ctl a request: 0 but for rearm-thread and rearm-context, which take 2";
  report.seen = seen(report);
  return report;
}

}  // namespace weft::tool::compare
