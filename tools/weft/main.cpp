// SPDX-License-Identifier: Apache-2.0
// The weft command.
#include "compare/commands.hpp"
#include "exporting_program.hpp"
#include "serve.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

namespace {

/// In one line: CLI11 says of a command that it does not know that one is missing.
std::string what_is_wrong(const CLI::App& app, const CLI::ParseError& error, const std::string& first) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == first || command->get_name().empty()) {
      if (command->get_name() == first) return error.what();
      continue;
    }
    if (command->get_group().empty()) continue;  // of the program itself, not in its help either
    names += (names.empty() ? "" : " and ") + command->get_name();
  }
  if (first.starts_with("-")) {
    const std::vector<std::string> unknown = app.remaining();
    return unknown.empty() ? error.what() : "no option \"" + unknown.front() + "\"";
  }
  return first.empty() ? "which command? There are " + names
                       : "no command \"" + first + "\"; there are " + names;
}

}  // namespace

int main(int argc, char** argv) {
  // What stands behind -- is not for this program.
  char** const end = argv + argc;
  char** const separator = std::find(argv, end, std::string("--"));
  const std::vector<std::string> behind(separator == end ? end : separator + 1, end);

  CLI::App app("weft: fibers, execution contexts and lifetime event loops for network software", "weft");
  app.set_version_flag("--version", WEFT_VERSION);
  app.require_subcommand(1);
  weft::tool::ServeCommand serve;
  const CLI::App* const serve_command = serve.add_to(app);
  weft::tool::compare::Commands measuring(app, {argv, end}, behind);
  try {
    app.parse(static_cast<int>(separator - argv), argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::cerr << "weft: " << what_is_wrong(app, error, argc > 1 ? argv[1] : "") << "; see weft --help\n";
    return weft::tool::kWrongUsage;
  }

  if (serve_command->parsed()) {
    const bool may_load = serve.handler.empty() || weft::tool::exports_weft();
    return may_load ? serve.run() : weft::tool::become_exporting_program(argv);
  }
  return measuring.run().value_or(0);
}
