// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "child_process.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace weft::tool::compare {

/// What wrk is told.
struct WrkOptions {
  std::string url;
  std::uint32_t connections = 64;
  /// One of its own for each request ("Connection: close").
  bool close = false;
  std::vector<int> cpus = {};
};

/// Throws std::runtime_error, which names Debian's package, if wrk is not on PATH.
void require_wrk();

/// Percentiles of one run, in microseconds.
struct Latencies {
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  std::uint64_t requests = 0;
  /// Answers that were none, or not 2xx or 3xx.
  std::uint64_t errors = 0;
};

/// One run of wrk. wrk itself knows whole seconds only: it is interrupted, and then reports as usual. Throws
/// std::runtime_error if it does not.
Latencies measure_latencies(const WrkOptions& options, double seconds);

/// The line of the report that `measure_latencies` has wrk print. Throws std::runtime_error if it is not
/// there.
Latencies parse_latencies(const std::string& output);

/// A wrk that runs for as long as the object lives, but only between resume() and pause(): so a load can be
/// switched on and off within milliseconds, without new connections. Starts paused, with its connections
/// open.
class PausableLoad {
 public:
  explicit PausableLoad(const WrkOptions& options);

  void resume() const noexcept;
  void pause() const noexcept;

  /// Sent so far: wrk makes one write(2) for each, and no others while it runs.
  std::uint64_t requests() const { return writes_of_load(); }
  std::int64_t cpu_ns() const noexcept;
  /// Whether wrk is still there.
  bool alive() { return !wrk_.poll(); }

 private:
  std::uint64_t writes_of_load() const;

  ChildProcess wrk_;
};

}  // namespace weft::tool::compare
