// SPDX-License-Identifier: Apache-2.0
#include "commands.hpp"

#include "compare_command.hpp"
#include "parts.hpp"

#include <utility>

#include <CLI/CLI.hpp>

namespace weft::tool::compare {

struct Commands::Parsed {
  CompareCommand compare = {};
  PartCommand part = {};
  const CLI::App* compare_command = nullptr;
  const CLI::App* part_command = nullptr;
};

Commands::Commands(CLI::App& app, std::vector<std::string> command_line,
                   std::vector<std::string> serve_options)
    : parsed_(std::make_unique<Parsed>()) {
  parsed_->compare.command_line = std::move(command_line);
  parsed_->compare.serve_options = std::move(serve_options);
  parsed_->compare_command = parsed_->compare.add_to(app);
  parsed_->part_command = parsed_->part.add_to(app);
}

Commands::~Commands() = default;

std::optional<int> Commands::run() {
  if (parsed_->compare_command->parsed()) return parsed_->compare.run();
  if (parsed_->part_command->parsed()) return parsed_->part.run();
  return std::nullopt;
}

}  // namespace weft::tool::compare
