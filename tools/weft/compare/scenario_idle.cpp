// SPDX-License-Identifier: Apache-2.0
#include "fleet_rows.hpp"
#include "progress.hpp"
#include "scenario.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace weft::tool::compare {
namespace {

constexpr std::uint32_t kTrickle = 4;
/// Of the process, for other things than idle connections.
constexpr std::uint64_t kOtherDescriptors = 200;
constexpr const char* kMemory = "bytes_per_connection";

std::uint32_t affordable(std::uint32_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t room = limit.rlim_cur > kOtherDescriptors ? limit.rlim_cur - kOtherDescriptors : 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, room));
}

std::vector<double> each_cpu(const Measured& member) {
  std::vector<double> values;
  for (const Turn& turn : member.turns) {
    if (turn.requests > 0 && turn.server_cpu_us > 0) values.push_back(turn.cpu_us_per_request());
  }
  return values;
}

std::vector<double> each_rate(const Measured& member) {
  std::vector<double> values;
  for (const Turn& turn : member.turns) {
    if (turn.requests > 0) values.push_back(turn.requests_per_second());
  }
  return values;
}

/// What the first row measured: one server at a time lives, so there are no neighbouring turns.
struct Reference {
  std::vector<double> cpu;
  std::vector<double> rate;
};

void add_row(Report& report, const Measured& member, std::optional<Reference>& reference) {
  Row row = member.entry.row;
  fill_row(row, member, !reference);
  const Reference mine{each_cpu(member), each_rate(member)};
  if (row.measured() && !mine.cpu.empty()) {
    if (reference) {
      row.figures["cpu_ratio"] = ratio_of_medians(mine.cpu, reference->cpu);
      row.figures["requests_per_second_ratio"] = ratio_of_medians(mine.rate, reference->rate);
    }
    row.figures[kMemory] = {member.idle_bytes};
    if (!reference) reference = mine;
  }
  report.rows.push_back(row);
}

std::string seen(const Report& report) {
  std::string text = cpu_comparison(report, kReference, "lifetime-thread");
  for (const Row& row : report.rows) {
    if (row.strategy != "lifetime" || !row.measured()) continue;
    text += (text.empty() ? "" : "; ") + std::string("lifetime: ") + figure_text(&row, kMemory, 0) +
            " bytes an idle connection, p99 " + figure_text(&row, "p99_us", 0) + " us";
  }
  return text.empty() ? "nothing to compare" : text;
}

}  // namespace

Report run_idle(const Options& options) {
  require_wrk();
  Options trickle = options;
  trickle.connections = std::min(options.connections, kTrickle);
  const std::uint32_t idle = affordable(options.idle_connections);
  Report report;
  report.scenario = "idle";
  report.title =
      std::to_string(idle) + " idle connections and " + std::to_string(trickle.connections) + " active ones";
  report.columns = fleet_columns();
  report.columns.push_back({kMemory, "bytes/idle connection", 0, 0});
  report.plotted = "cpu_us_per_request";
  for (const std::uint32_t count :
       options.threads.empty() ? std::vector<std::uint32_t>{1} : options.threads) {
    std::optional<Reference> reference;
    for (const std::string& strategy : options.strategies) {
      progress(strategy);
      Fleet fleet(trickle, {serve_entry(options, strategy, count)}, {.idle_connections = idle});
      fleet.measure();
      add_row(report, fleet.members().front(), reference);
    }
  }
  report.expected =
      "who does not wait costs nothing: per active request the same as without idle connections, under every "
      "strategy; "
      "memory is the fibers', not the loops', but for broadcast";
  report.seen = seen(report);
  report.notes.push_back(
      "one server lives at a time, one after the other: ratios to the first row are less certain "
      "here than where turns are interleaved");
  if (idle < options.idle_connections)
    report.notes.push_back("only " + std::to_string(idle) +
                           " idle connections: the limit of open files (ulimit -n)");
  return report;
}

}  // namespace weft::tool::compare
