// SPDX-License-Identifier: Apache-2.0
#include "parts.hpp"

#include <cstdio>
#include <exception>
#include <map>

#include <CLI/CLI.hpp>

namespace weft::tool::compare {
namespace {

using Part = int (*)(const PartCommand&);

const std::map<std::string, Part>& parts() {
  static const std::map<std::string, Part> all{{"handoff", run_handoff_part},
                                               {"starved", run_starved_part},
                                               {"contention", run_contention_part},
                                               {"bounce", run_bounce_part}};
  return all;
}

}  // namespace

CLI::App* PartCommand::add_to(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("compare-part", "One process of weft compare")->group("");
  command->add_option("part", part)->required()->check(CLI::IsMember(parts()));
  command->add_option("--threads", threads)->check(CLI::Range(1, 256));
  command->add_option("--seconds", seconds)->check(CLI::PositiveNumber);
  command->add_option("--rounds", rounds)->check(CLI::Range(1, 10'000));
  return command;
}

int PartCommand::run() const {
  try {
    return parts().at(part)(*this);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft compare-part: %s\n", error.what());
    return 1;
  }
}

}  // namespace weft::tool::compare
