// SPDX-License-Identifier: Apache-2.0
#include "fleet.hpp"

#include "process_figures.hpp"
#include "progress.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace weft::tool::compare {
namespace {

constexpr double kWarmUpSeconds = 0.01;
constexpr double kDrainSeconds = 0.003;  // what was under way is answered, and the server goes to sleep
constexpr double kSettleSeconds = 0.05;
constexpr double kTracedSeconds = 0.3;
constexpr double kLateSeconds = 0.003;
constexpr int kLatencyRuns = 2;

/// Until the process takes no CPU time any more.
void wait_until_idle(pid_t pid) {
  constexpr double kQuietSeconds = 0.05;
  constexpr double kSecondsMax = 3;
  std::int64_t before = -1;
  wait_until(kSecondsMax, [&] {
    if (before == cpu_ns_of(pid)) return true;
    before = cpu_ns_of(pid);
    sleep_seconds(kQuietSeconds);
    return false;
  });
}

Turn difference(const Turn& end, const Turn& start) {
  return {.requests = end.requests - start.requests,
          .seconds = end.seconds - start.seconds,
          .server_cpu_us = end.server_cpu_us - start.server_cpu_us,
          .load_cpu_us = end.load_cpu_us - start.load_cpu_us};
}

bool comparable(const Turn& turn) { return turn.requests > 0 && turn.server_cpu_us > 0; }

double over_mean(double value, double one, double other) { return 2 * value / (one + other); }

Ratio ratio_of(const Turn& turn, const Turn& before, const Turn& after) {
  return {
      .requests_per_second =
          over_mean(turn.requests_per_second(), before.requests_per_second(), after.requests_per_second()),
      .cpu = over_mean(turn.cpu_us_per_request(), before.cpu_us_per_request(), after.cpu_us_per_request()),
      .disturbed = turn.disturbed || before.disturbed || after.disturbed};
}

}  // namespace

Fleet::Fleet(const Options& options, std::vector<Entry> entries, const LoadKind& kind)
    : options_(options), kind_(kind) {
  for (Entry& entry : entries) members_.push_back({.entry = std::move(entry)});
}

void Fleet::measure() {
  start_servers();
  measure_all_latencies();
  start_loads();
  count_syscalls();
  snapshot(true);
  run_rounds();
  snapshot(false);
  for (Measured& member : members_) {
    member.load.reset();
    member.idle.clear();
    member.server.reset();
  }
}

WrkOptions Fleet::load_of(const Measured& member, const std::string& path) const {
  return {.url = member.server->url(path),
          .connections = options_.connections,
          .close = kind_.close,
          .cpus = member.entry.cpus.load};
}

void Fleet::start_servers() {
  progress("starting " + std::to_string(members_.size()) + " servers");
  for (Measured& member : members_) {
    if (!member.entry.row.measured()) continue;
    member.server = ServerProcess::start(member.entry.launch, member.entry.row.not_available);
    if (member.server && kind_.idle_connections != 0) open_idle_connections(member);
  }
}

void Fleet::open_idle_connections(Measured& member) const {
  HttpClient(member.server->port()).get(options_.path);  // what the first one takes once is not theirs
  const std::uint64_t before = resident_bytes_of(member.server->pid());
  for (std::uint32_t i = 0; i < kind_.idle_connections; ++i) {
    member.idle.emplace_back(member.server->port());
    member.idle.back().get(options_.path);
  }
  const auto grown =
      static_cast<double>(resident_bytes_of(member.server->pid())) - static_cast<double>(before);
  member.idle_bytes = grown / kind_.idle_connections;
}

void Fleet::measure_all_latencies() {
  for (int run = 0; run < kLatencyRuns; ++run) {
    progress("latencies, run " + std::to_string(run + 1) + " of " + std::to_string(kLatencyRuns));
    for (Measured& member : members_) {
      if (!member.server) continue;
      member.latencies.push_back(measure_latencies(load_of(member, options_.path), options_.latency_seconds));
      member.server->require_alive();
    }
  }
}

void Fleet::start_loads() {
  for (Measured& member : members_) {
    if (!member.server) continue;
    member.load = std::make_unique<PausableLoad>(load_of(member, options_.path));
    // Every connection has waited once before anything is counted: what is registered for life, is by now.
    member.load->resume();
    sleep_seconds(std::max(kSettleSeconds, options_.seconds));
    member.load->pause();
  }
}

void Fleet::count_syscalls() {
  if (options_.no_strace) {
    no_syscalls_ = "--no-strace";
    return;
  }
  if (!can_trace(no_syscalls_)) return;
  progress("system calls");
  for (Measured& member : members_) {
    if (!member.server) continue;
    const std::uint64_t before = member.load->requests();
    const SyscallCounts counts = trace(member.server->pid(), [&] {
      member.load->resume();
      sleep_seconds(std::max(kTracedSeconds, options_.seconds));
      member.load->pause();
      wait_until_idle(member.server->pid());  // a traced server is slow
    });
    member.syscalls = grouped(counts);
    member.traced_requests = static_cast<double>(member.load->requests() - before);
  }
}

void Fleet::snapshot(bool before) {
  for (Measured& member : members_) {
    if (!member.server) continue;
    // Once for the connection: what its first wait costs is over before it counts.
    if (before) static_cast<void>(member.server->counters());
    (before ? member.before : member.after) = member.server->counters();
    const auto requests = static_cast<double>(member.load->requests());
    member.counted_requests = before ? requests : requests - member.counted_requests;
  }
}

std::vector<Fleet::Group> Fleet::groups() const {
  std::map<std::uint32_t, Group> by_threads;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].server) by_threads[members_[i].entry.row.threads].push_back(i);
  }
  std::vector<Group> groups;
  for (auto& [threads, group] : by_threads) {
    // Stable: of several variants of the reference the first, the plain one.
    std::stable_partition(group.begin(), group.end(),
                          [&](std::size_t i) { return members_[i].entry.row.strategy == kReference; });
    groups.push_back(group);
  }
  return groups;
}

void Fleet::run_rounds() {
  const std::vector<Group> all = groups();
  for (const Group& group : all) members_[group[0]].is_reference = true;
  for (std::uint32_t round = 0; round < options_.rounds; ++round) {
    if (round % 5 == 0)
      progress("round " + std::to_string(round + 1) + " of " + std::to_string(options_.rounds));
    for (const Group& group : all) run_group(group);
  }
}

// The reference before and after the others, whose order changes: each is compared with the mean of both, and
// both with each other.
void Fleet::run_group(const Group& group) {
  static std::mt19937 generator(1);
  Group others(group.begin() + 1, group.end());
  std::shuffle(others.begin(), others.end(), generator);
  Measured& reference = members_[group[0]];
  const Turn first = run_turn(reference);
  std::vector<Turn> turns;
  for (const std::size_t i : others) turns.push_back(run_turn(members_[i]));
  const Turn last = run_turn(reference);
  if (!comparable(first) || !comparable(last)) return;
  repeats_.push_back(last.cpu_us_per_request() / first.cpu_us_per_request());
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (comparable(turns[i])) members_[others[i]].ratios.push_back(ratio_of(turns[i], first, last));
  }
}

Turn Fleet::run_turn(Measured& member) {
  member.server->require_alive();
  member.load->resume();
  sleep_seconds(kWarmUpSeconds);
  const Turn start = look(member);
  sleep_seconds(options_.seconds);
  Turn turn = difference(look(member), start);
  member.load->pause();
  sleep_seconds(kDrainSeconds);
  turn.disturbed = turn.seconds > options_.seconds + kLateSeconds;
  member.turns.push_back(turn);
  return turn;
}

// The two counts and the time within some ten microseconds.
Turn Fleet::look(Measured& member) const {
  return {.requests = static_cast<double>(member.load->requests()),
          .seconds = static_cast<double>(now_ns()) / 1e9,
          .server_cpu_us = static_cast<double>(cpu_ns_of(member.server->pid())) / 1e3,
          .load_cpu_us = static_cast<double>(member.load->cpu_ns()) / 1e3};
}

double Fleet::noise() const {
  if (repeats_.empty()) return 0;
  std::vector<double> distances;
  for (const double ratio : repeats_) distances.push_back(std::abs(ratio - 1));
  return median(distances);
}

}  // namespace weft::tool::compare
