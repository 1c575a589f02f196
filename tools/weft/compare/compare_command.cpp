// SPDX-License-Identifier: Apache-2.0
#include "compare_command.hpp"

#include "json_report.hpp"
#include "scenario.hpp"
#include "svg_chart.hpp"
#include "table.hpp"

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <sys/resource.h>

#include <CLI/CLI.hpp>

namespace weft::tool::compare {
namespace {

std::vector<std::string> names_of_scenarios() {
  std::vector<std::string> names;
  for (const Scenario& scenario : scenarios()) names.emplace_back(scenario.name);
  return names;
}

std::string description() {
  std::string text = "Measure the event loop strategies against each other on this machine. Scenarios:";
  for (const Scenario& scenario : scenarios()) {
    text += std::string("\n  ") + scenario.name + std::string(12 - std::string(scenario.name).size(), ' ') +
            scenario.description;
  }
  return text;
}

const Scenario& scenario_named(const std::string& name) {
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name == name) return scenario;
  }
  throw std::runtime_error("there is no scenario " + name);
}

// The children inherit it.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// Opened before the minutes of measuring, not after them.
std::ofstream opened(const std::string& path) {
  std::ofstream file;
  if (path.empty()) return file;
  file.open(path);
  if (!file) throw std::runtime_error(path + " cannot be written");
  return file;
}

void write(std::ofstream& file, const std::string& path, const std::string& text) {
  if (!file.is_open()) return;
  file << text << std::flush;
  if (!file) throw std::runtime_error(path + " cannot be written");
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

bool anything_measured(const Report& report) {
  for (const Row& row : report.rows) {
    if (row.measured() && !row.figures.empty()) return true;
  }
  return false;
}

}  // namespace

CLI::App* CompareCommand::add_to(CLI::App& app) {
  CLI::App* const compare = app.add_subcommand("compare", description());
  compare->add_option("scenario", scenario, "which")
      ->check(CLI::IsMember(names_of_scenarios()))
      ->capture_default_str();
  options.add_to(*compare);
  return compare;
}

int CompareCommand::run() {
  options.serve_options = serve_options;
  try {
    raise_descriptor_limit();
    std::ofstream json = opened(options.json);
    std::ofstream plot = opened(options.plot);
    const Report report = scenario_named(scenario).run(options);
    std::fputs(to_text(report).c_str(), stdout);
    write(json, options.json, to_json(report, joined(command_line)));
    write(plot, options.plot, to_svg(report));
    if (anything_measured(report)) return 0;
    throw std::runtime_error("nothing could be measured");
  } catch (const std::exception& error) {
    std::fflush(stdout);
    std::fprintf(stderr, "weft compare: %s\n", error.what());
    return 1;
  }
}

}  // namespace weft::tool::compare
