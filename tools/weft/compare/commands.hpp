// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weft::tool::compare {

/// The subcommands that measure: `compare`, and what it starts of this program. None in a build without them
/// (WEFT_BUILD_COMPARE, without_compare.cpp).
class Commands {
 public:
  /// Adds them to `app`, and must outlive its parsing. `serve_options` stood behind --.
  Commands(CLI::App& app, std::vector<std::string> command_line, std::vector<std::string> serve_options);
  ~Commands();

  /// Runs the one that was asked for: its exit status. Nothing if none was.
  std::optional<int> run();

 private:
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace weft::tool::compare
