// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weft::tool::compare {

/// The names of all strategies, the baseline first and the default last.
const std::vector<std::string>& strategy_names();

/// What everything is compared with: a loop for each thread that adds, waits and deletes.
inline constexpr const char* kReference = "rearm-thread";

/// `weft compare`: what its options say.
struct Options {
  std::vector<std::string> strategies = strategy_names();
  /// Empty: what the scenario says.
  std::vector<std::uint32_t> threads = {};
  std::uint32_t connections = 64;
  std::uint32_t idle_connections = 10'000;
  /// How long one strategy is loaded before it is the next one's turn.
  double seconds = 0.06;
  std::uint32_t rounds = 25;
  /// Of the runs that measure latencies.
  double latency_seconds = 0.5;
  bool no_strace = false;
  std::vector<int> server_cpus = {};
  std::vector<int> load_cpus = {};
  std::string json = {};
  std::string plot = {};

  std::string handler = {};
  std::string path = "/";
  /// More options of `weft serve`.
  std::vector<std::string> serve_options = {};

  void add_to(CLI::App& app);
};

}  // namespace weft::tool::compare
