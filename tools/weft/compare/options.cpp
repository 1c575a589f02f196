// SPDX-License-Identifier: Apache-2.0
#include "options.hpp"

#include <CLI/CLI.hpp>

namespace weft::tool::compare {

const std::vector<std::string>& strategy_names() {
  static const std::vector<std::string> names{"rearm-thread", "rearm-context", "process",         "dedicated",
                                              "broadcast",    "pinned",        "lifetime-thread", "lifetime"};
  return names;
}

void Options::add_to(CLI::App& app) {
  app.add_option("--strategies", strategies, "which, with commas")
      ->delimiter(',')
      ->check(CLI::IsMember(strategy_names()))
      ->default_str("all eight");
  app.add_option("--threads", threads, "thread counts of the server, with commas; 1,2,4 for http, else 1")
      ->delimiter(',')
      ->check(CLI::Range(1, 256));
  app.add_option("--connections", connections, "that wrk holds to each server")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--idle-connections", idle_connections, "of the scenario idle")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--seconds", seconds, "how long each is loaded at a time")
      ->check(CLI::Range(0.01, 60.0))
      ->capture_default_str();
  app.add_option("--rounds", rounds, "how often each has its turn")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--latency-seconds", latency_seconds, "of each run that measures latencies; there are two")
      ->check(CLI::Range(0.1, 60.0))
      ->capture_default_str();
  app.add_flag("--no-strace", no_strace, "do not count syscalls, which needs strace");
  app.add_option("--server-cpus", server_cpus, "where servers run, with commas")->delimiter(',');
  app.add_option("--load-cpus", load_cpus, "where wrk runs, with commas")->delimiter(',');
  app.add_option("--json", json, "also write the results to this FILE")->type_name("FILE");
  app.add_option("--plot", plot, "also draw them, as SVG, to this FILE")->type_name("FILE");
  app.add_option("--handler", handler,
                 "serve with the routes of this shared object, see weft serve --handler")
      ->check(CLI::ExistingFile);
  app.add_option("--path", path, "what is requested")->capture_default_str();
  app.footer("Options behind -- are passed to weft serve, such as: weft compare http -- --context sharded");
}

}  // namespace weft::tool::compare
