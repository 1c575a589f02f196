// SPDX-License-Identifier: Apache-2.0
#include "scenario.hpp"

namespace weft::tool::compare {
namespace {

std::vector<Entry> entries_of(const Options& options) {
  std::vector<Entry> entries;
  for (const std::uint32_t count :
       options.threads.empty() ? std::vector<std::uint32_t>{1} : options.threads) {
    for (const std::string& strategy : options.strategies)
      entries.push_back(serve_entry(options, strategy, count));
  }
  return entries;
}

}  // namespace

Report run_churn(const Options& options) {
  Report report = run_fleet(options, entries_of(options), {.close = true});
  report.scenario = "churn";
  report.title = "HTTP, a connection for each request, " + std::to_string(options.connections) + " at a time";
  report.expected =
      "registering for life pays least here, as each connection waits about once: lifetime-thread within "
      "some "
      "percent of rearm-thread, and no worse";
  const std::string comparison = cpu_comparison(report, kReference, "lifetime-thread");
  report.seen = comparison.empty() ? "nothing to compare" : comparison;
  return report;
}

}  // namespace weft::tool::compare
