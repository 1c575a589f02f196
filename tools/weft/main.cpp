// SPDX-License-Identifier: Apache-2.0
// The weft command.
#include "compare/commands.hpp"
#include "exporting_program.hpp"
#include "serve.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <vector>

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
  CLI11_PARSE(app, static_cast<int>(separator - argv), argv);

  if (serve_command->parsed()) {
    const bool may_load = serve.handler.empty() || weft::tool::exports_weft();
    return may_load ? serve.run() : weft::tool::become_exporting_program(argv);
  }
  return measuring.run().value_or(0);
}
