// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/event_loop_strategy.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace weft::tool {

/// The exit status of a command line that is wrong.
inline constexpr int kWrongUsage = 2;

/// Which threads serve connections.
enum class ServeContext {
  kParallel,    ///< one ParallelContext: its threads share all connections
  kConcurrent,  ///< one ConcurrentContext: one thread serves all
  kSharded,     ///< a ConcurrentContext for each thread, with a listener of its own on the same port
};

/// `weft serve`: what its options say.
struct ServeCommand {
  std::string address = "127.0.0.1:8080";
  std::uint32_t threads = 1;
  ServeContext context = ServeContext::kParallel;
  std::optional<EventLoopStrategy> strategy;  ///< none: WEFT_STRATEGY's, else the default
  std::uint32_t drain_seconds = 10;
  /// Where counters_json() is shown; empty: nowhere.
  std::string counters_path = {};
  /// A shared object that has the routes; empty: the tool's own.
  std::string handler = {};
  /// Streams are read until the kernel says that they are empty, also after a short read.
  bool read_to_eagain = false;
  /// Each response is sent by itself, at once.
  bool no_response_batches = false;

  /// Adds the subcommand; its options write to this object, which must outlive the parsing.
  CLI::App* add_to(CLI::App& app);

  /// Serves until SIGINT or SIGTERM, then drains; a second signal ends the process at once. The exit status.
  int run() const;
};

}  // namespace weft::tool
