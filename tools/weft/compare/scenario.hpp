// SPDX-License-Identifier: Apache-2.0
#pragma once

// The scenarios: each measures, and says what was expected and what was seen.

#include "fleet.hpp"
#include "options.hpp"
#include "report.hpp"

#include <string>
#include <vector>

namespace weft::tool::compare {

struct Scenario {
  const char* name;
  const char* description;
  Report (*run)(const Options& options);
};

/// All of them, the default first.
const std::vector<Scenario>& scenarios();

Report run_http(const Options& options);
Report run_handoff(const Options& options);
Report run_starved(const Options& options);
Report run_contention(const Options& options);
Report run_churn(const Options& options);
Report run_idle(const Options& options);
Report run_bounce(const Options& options);

// -- what they share -------------------------------------------------------------------------------------

/// This program, for children that are `weft` commands too.
std::string this_program();

/// A `weft serve` of a strategy. `more`: further options.
Entry serve_entry(const Options& options, const std::string& strategy, std::uint32_t threads,
                  const std::vector<std::string>& more = {}, const std::string& variant = "");
/// A hidden part of `weft compare` (parts.hpp) of a strategy.
Entry part_entry(const Options& options, const std::string& part, const std::string& strategy,
                 std::uint32_t threads, const std::vector<std::string>& more = {});

/// Adds further figures to a row.
using AddFigures = void (*)(Row& row, const Measured& member);

/// Measures servers under wrk; columns, rows, plot and notes are filled in.
Report run_fleet(const Options& options, std::vector<Entry> entries, const LoadKind& kind,
                 AddFigures add_figures = nullptr);

/// "CPU per request of rearm-thread over that of lifetime-thread: 1.21 at 1 thread, ..." for each thread
/// count that has both. Empty: none has.
std::string cpu_comparison(const Report& report, const std::string& above, const std::string& below);

/// "0.02", or "not measured".
std::string figure_text(const Row* row, const std::string& key, int decimals);

}  // namespace weft::tool::compare
