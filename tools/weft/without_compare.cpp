// SPDX-License-Identifier: Apache-2.0
// In place of compare/ in a build without it.
#include "compare/commands.hpp"

namespace weft::tool::compare {

struct Commands::Parsed {};

Commands::Commands(CLI::App&, std::vector<std::string>, std::vector<std::string>) {}
Commands::~Commands() = default;
std::optional<int> Commands::run() { return std::nullopt; }

}  // namespace weft::tool::compare
