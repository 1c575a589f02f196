// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/event_loop_strategy.hpp>
#include <weft/http/limits.hpp>

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
  /// See Limits::idle_grace. None: a second if another process may take over, else nothing.
  std::optional<std::uint32_t> idle_grace_ms;
  /// Other processes listen at the port as well.
  bool reuse_port = false;
  /// Not at `address`, but with the sockets that were passed to the process (net::listen_fds()).
  bool listen_fds = false;
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

  http::Limits limits() const;

 private:
  void add_sharing_options(CLI::App& serve);
};

}  // namespace weft::tool
