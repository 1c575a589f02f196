// SPDX-License-Identifier: Apache-2.0
#pragma once

// Servers that are compared under the same load, all alive at once, one of them loaded at a time. A turn is
// short (some ten milliseconds) and the turns are interleaved, so a machine that drifts by 20 % in a minute
// drifts for all of them alike; what is compared are ratios of neighbouring turns.

#include "cpu_plan.hpp"
#include "options.hpp"
#include "report.hpp"
#include "server_process.hpp"
#include "syscall_trace.hpp"
#include "wrk.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft::tool::compare {

/// A server that is to be measured.
struct Entry {
  Row row;
  Launch launch;
  CpuPlan cpus;
};

/// One turn: what was done in it, and what it took.
struct Turn {
  double requests = 0;
  double seconds = 0;
  double server_cpu_us = 0;
  double load_cpu_us = 0;
  /// The machine did not let this process look when it wanted to.
  bool disturbed = false;

  double requests_per_second() const noexcept { return requests / seconds; }
  double cpu_us_per_request() const noexcept { return server_cpu_us / requests; }
};

/// A turn over the mean of the reference's turns around it.
struct Ratio {
  double requests_per_second = 1;
  double cpu = 1;
  bool disturbed = false;  ///< one of the three turns was
};

/// What was measured of one server.
struct Measured {
  Entry entry;
  std::unique_ptr<ServerProcess> server = nullptr;
  std::unique_ptr<PausableLoad> load = nullptr;

  /// Of those with the same number of threads, the one the others are compared with.
  bool is_reference = false;
  std::vector<Turn> turns = {};
  std::vector<Ratio> ratios = {};
  std::vector<Latencies> latencies = {};
  std::optional<SyscallGroups> syscalls = std::nullopt;
  double traced_requests = 0;
  std::vector<HttpClient> idle = {};
  double idle_bytes = 0;  ///< resident memory of the server for each idle connection
  Counters before = {};
  Counters after = {};
  double counted_requests = 0;
};

/// How the load behaves.
struct LoadKind {
  bool close = false;                  ///< a connection for each request
  std::uint32_t idle_connections = 0;  ///< that are open beside, to each server, after a request of each
};

class Fleet {
 public:
  Fleet(const Options& options, std::vector<Entry> entries, const LoadKind& kind);

  /// All of it: starts the servers, measures latencies, counts syscalls, has the rounds, and stops
  /// everything.
  void measure();

  const std::vector<Measured>& members() const noexcept { return members_; }
  /// By how much two turns of one and the same server differ, in the median; 0 if nothing is known.
  double noise() const;
  /// What a reader of any of its rows has to know.
  std::vector<std::string> notes() const;

 private:
  using Group = std::vector<std::size_t>;  // members with the same number of threads, the reference first

  WrkOptions load_of(const Measured& member, const std::string& path) const;
  void start_servers();
  void open_idle_connections(Measured& member) const;
  void measure_all_latencies();
  void start_loads();
  void count_syscalls();
  void snapshot(bool before);
  void run_rounds();
  void run_group(const Group& group);
  Turn run_turn(Measured& member);
  Turn look(Measured& member) const;
  std::vector<Group> groups() const;

  const Options& options_;
  LoadKind kind_;
  std::vector<Measured> members_;
  std::vector<double> repeats_;  // ratios of the two turns of a reference in one round
  std::string no_syscalls_;      // why they were not counted
};

}  // namespace weft::tool::compare
