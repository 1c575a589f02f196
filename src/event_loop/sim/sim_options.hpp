// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/network_names.hpp"
#include "event_loop/sim/sim_datagram_options.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft {

/// What a simulation says when nothing in it can run any more.
struct SimStuck {
  std::int64_t time_ns = 0;          ///< the virtual time
  std::vector<std::string> waiting;  ///< a line for each fiber that waits for the network, and for what
};

/// How a simulated world behaves. The same options and the same program give the same run, to the byte.
struct SimOptions {
  std::uint64_t seed = 1;  ///< of everything below that is drawn

  std::int64_t start_ns = 1'000'000'000;  ///< what the virtual clock says at first

  /// Bytes that a direction of a stream holds, on the way and received, before its writer has to wait.
  std::size_t buffer_size = 64 * 1024;
  /// How long anything sent takes to arrive, in virtual time: drawn for each connection, the same both ways.
  std::int64_t latency_min_ns = 0;
  std::int64_t latency_max_ns = 0;
  /// How many in a hundred reads and writes move less than they could: a drawn part, at least one byte.
  std::uint32_t short_counts_percent = 0;
  /// Fibers that become runnable together are handed out in a drawn order, else in the order of their events.
  bool shuffle = false;
  /// How long a request to a file takes, in virtual time; drawn for each.
  std::int64_t disk_latency_min_ns = 0;
  std::int64_t disk_latency_max_ns = 0;
  /// The bytes of all files together; more are refused with ENOSPC, of a write what does not fit.
  std::uint64_t disk_size_max = std::uint64_t{1} << 30;
  /// Names and their addresses, in lower case. There is no other name, except localhost.
  NetworkNames names = {};
  /// Connection requests to these addresses are lost: "192.0.2.1:80", "[2001:db8::1]:443".
  std::vector<std::string> black_holes = {};
  SimDatagramOptions datagrams = {};
  /// Sockets, and files, that may be open at a time: one more is refused with EMFILE.
  std::size_t descriptors_max = SIZE_MAX;

  /// Real time during which something outside of the simulation may still come, before it counts as stuck.
  /// With 0 nothing is waited for.
  std::int64_t stuck_after_ns = 5'000'000'000;
  /// Told, on the driving thread, that fibers wait for the network and nothing is left that could wake them;
  /// once, until one of them has run again. It may cancel or spawn fibers. Empty: the program stops with a
  /// BUG that lists them.
  std::function<void(const SimStuck&)> on_stuck;

  /// A world that leaves nothing to habit: latencies up to 1 ms, short counts, drawn order.
  static SimOptions rough(std::uint64_t seed) {
    SimOptions options;
    options.seed = seed;
    options.latency_max_ns = 1'000'000;
    options.disk_latency_max_ns = 1'000'000;
    options.short_counts_percent = 30;
    options.shuffle = true;
    return options;
  }
};

}  // namespace weft
