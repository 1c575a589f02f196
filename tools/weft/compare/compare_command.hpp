// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weft::tool::compare {

/// `weft compare [SCENARIO]`: measures the event loop strategies against each other on this machine.
struct CompareCommand {
  std::string scenario = "http";
  Options options = {};
  /// Behind --, for weft serve.
  std::vector<std::string> serve_options = {};
  std::vector<std::string> command_line = {};

  /// Adds the subcommand; its options write to this object, which must outlive the parsing.
  CLI::App* add_to(CLI::App& app);

  /// Measures, and prints the tables on standard output: the exit status.
  int run();
};

}  // namespace weft::tool::compare
