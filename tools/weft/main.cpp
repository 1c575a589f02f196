// SPDX-License-Identifier: Apache-2.0
// The weft command.
#include "serve.hpp"

#include <CLI/CLI.hpp>

int main(int argc, char** argv) {
  CLI::App app("weft: fibers, execution contexts and lifetime event loops for network software", "weft");
  app.set_version_flag("--version", WEFT_VERSION);
  app.require_subcommand(1);
  weft::tool::ServeCommand serve;
  const CLI::App* const serve_command = serve.add_to(app);
  CLI11_PARSE(app, argc, argv);
  return serve_command->parsed() ? serve.run() : 0;
}
