// SPDX-License-Identifier: Apache-2.0
#include "fleet.hpp"

#include <cstdio>

namespace weft::tool::compare {
namespace {

constexpr double kBusy = 0.95;     // of a core: the load has no more to give
constexpr double kNotBusy = 0.90;  // of its cores: the server would have
constexpr double kManyDisturbed = 0.5;

std::string percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", fraction * 100);
  return text;
}

double median_of(const Measured& member, double (*figure)(const Turn&)) {
  std::vector<double> values;
  for (const Turn& turn : member.turns) values.push_back(figure(turn));
  return values.empty() ? 0 : median(values);
}

/// The load had no CPU time left, and the server had.
bool limited_by_load(const Measured& member) {
  const double load =
      median_of(member, [](const Turn& turn) { return turn.load_cpu_us / 1e6 / turn.seconds; });
  const double server =
      median_of(member, [](const Turn& turn) { return turn.server_cpu_us / 1e6 / turn.seconds; });
  const double cores =
      std::min<double>(member.entry.row.threads, static_cast<double>(member.entry.cpus.server.size()));
  return load >= kBusy && server < kNotBusy * cores;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "; ") + name;
  return text;
}

std::string name_of(const Measured& member) {
  return member.entry.row.name() + " at " + std::to_string(member.entry.row.threads);
}

}  // namespace

std::vector<std::string> Fleet::notes() const {
  std::vector<std::string> notes;
  std::vector<std::string> limited;
  std::vector<std::string> errors;
  std::size_t turns = 0;
  std::size_t disturbed = 0;
  for (const Measured& member : members_) {
    turns += member.turns.size();
    for (const Turn& turn : member.turns) disturbed += turn.disturbed ? 1 : 0;
    if (!member.turns.empty() && limited_by_load(member)) limited.push_back(name_of(member));
    for (const Latencies& latencies : member.latencies) {
      if (latencies.errors != 0) errors.push_back(name_of(member));
    }
  }
  if (!repeats_.empty())
    notes.push_back("the machine: CPU per request of one and the same server differs by " + percent(noise()) +
                    " from one turn to the next but some (median); differences below that are none");
  if (turns != 0 && static_cast<double>(disturbed) > kManyDisturbed * static_cast<double>(turns))
    notes.push_back("WARNING: the machine was BUSY: " + std::to_string(disturbed) + " of " +
                    std::to_string(turns) + " turns were disturbed; take the ratios with care");
  if (!limited.empty())
    notes.push_back(
        "WARNING: the load was the limit (wrk used its core up, the server did not): compare CPU per "
        "request, not requests/s, of: " +
        joined(limited));
  if (!errors.empty()) notes.push_back("WARNING: wrk saw errors of: " + joined(errors));
  if (!no_syscalls_.empty()) notes.push_back("system calls were not counted: " + no_syscalls_);
  return notes;
}

}  // namespace weft::tool::compare
