// SPDX-License-Identifier: Apache-2.0
#include "scenario.hpp"

#include "fleet_rows.hpp"
#include "table.hpp"

#include <filesystem>
#include <set>
#include <stdexcept>

namespace weft::tool::compare {

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all{
      {"http", "a plain server with kept-alive connections", run_http},
      {"handoff", "accept and authenticate in one context, serve in another", run_handoff},
      {"starved", "busy threads in one context, sockets of another: how late events are noticed",
       run_starved},
      {"contention", "wake-ups across contexts against local ones", run_contention},
      {"churn", "a connection for each request", run_churn},
      {"idle", "many idle connections, and a trickle", run_idle},
      {"bounce", "several contexts print to one socket: with a mutex, or through a channel", run_bounce}};
  return all;
}

std::string this_program() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw std::runtime_error("/proc is needed to find this program: " + error.message());
  return path.string();
}

namespace {

Entry entry_of(const Options& options, const std::string& strategy, std::uint32_t threads,
               std::vector<std::string> arguments) {
  Entry entry{.row = {.strategy = strategy, .threads = threads},
              .launch = {.arguments = std::move(arguments), .environment = {{"WEFT_STRATEGY", strategy}}},
              .cpus = plan_cpus(allowed_cpus(), threads, options.server_cpus, options.load_cpus)};
  entry.launch.cpus = entry.cpus.server;
  if (!entry.cpus.label.empty()) entry.row.labels.push_back(entry.cpus.label);
  return entry;
}

void append(std::vector<std::string>& list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

}  // namespace

Entry serve_entry(const Options& options, const std::string& strategy, std::uint32_t threads,
                  const std::vector<std::string>& more, const std::string& variant) {
  std::vector<std::string> arguments{
      this_program(),          "serve",      "--address", "127.0.0.1:0",     "--threads",
      std::to_string(threads), "--strategy", strategy,    "--counters-path", kCountersPath};
  if (!options.handler.empty()) append(arguments, {"--handler", options.handler});
  append(arguments, more);
  append(arguments, options.serve_options);
  Entry entry = entry_of(options, strategy, threads, std::move(arguments));
  entry.row.variant = variant;
  return entry;
}

Entry part_entry(const Options& options, const std::string& part, const std::string& strategy,
                 std::uint32_t threads, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{this_program(), "compare-part", part, "--threads",
                                     std::to_string(threads)};
  append(arguments, more);
  return entry_of(options, strategy, threads, std::move(arguments));
}

Report run_fleet(const Options& options, std::vector<Entry> entries, const LoadKind& kind,
                 AddFigures add_figures) {
  require_wrk();
  Fleet fleet(options, std::move(entries), kind);
  fleet.measure();
  Report report;
  report.columns = fleet_columns();
  report.rows = fleet_rows(fleet, add_figures);
  report.plotted = "cpu_us_per_request";
  report.notes = fleet.notes();
  report.notes.push_back(
      std::string("the reference is ") + kReference +
      " with as many threads, or the first row if it is not there; in brackets the bounds of 95 % "
      "confidence; counts are per request");
  return report;
}

namespace {

/// Of two figures that are ratios to the same; with bounds if only the lower one has some.
Estimate quotient(const Estimate& above, const Estimate& below) {
  Estimate result{above.value / below.value};
  if (!above.low && below.low) {
    result.low = above.value / *below.high;
    result.high = above.value / *below.low;
  }
  return result;
}

}  // namespace

std::string cpu_comparison(const Report& report, const std::string& above, const std::string& below) {
  std::set<std::uint32_t> threads;
  for (const Row& row : report.rows) threads.insert(row.threads);
  std::string text;
  for (const std::uint32_t count : threads) {
    const Row* const one = report.find(above, count);
    const Row* const other = report.find(below, count);
    const Estimate* const high = one == nullptr ? nullptr : one->figure("cpu_ratio");
    const Estimate* const low = other == nullptr ? nullptr : other->figure("cpu_ratio");
    if (high == nullptr || low == nullptr || low->value <= 0) continue;
    text += (text.empty() ? "" : ", ") + to_text(quotient(*high, *low), 2) + " at " + std::to_string(count) +
            (count == 1 ? " thread" : " threads");
  }
  return text.empty() ? text : "CPU per request of " + above + " over that of " + below + ": " + text;
}

std::string figure_text(const Row* row, const std::string& key, int decimals) {
  const Estimate* const figure = row == nullptr ? nullptr : row->figure(key);
  return figure == nullptr ? "not measured" : to_text({figure->value}, decimals);
}

}  // namespace weft::tool::compare
