// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a scenario hands back: rows of named figures, and what to say about them. Table, JSON and plot are
// made from this alone, so each scenario has all three.

#include "statistics.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft::tool::compare {

/// A figure that rows may have. Its key is its name in the JSON.
struct Column {
  std::string key;
  std::string heading;
  int decimals = 1;
  /// Columns of a report stand in several tables, one below the other, if they are too many for one.
  int table = 0;
};

/// One strategy under one load.
struct Row {
  std::string strategy;
  /// What else is different in this row, such as "read to EAGAIN"; empty: nothing.
  std::string variant = {};
  std::uint32_t threads = 1;
  /// What a reader has to know before comparing, such as "4 threads on 2 cores".
  std::vector<std::string> labels = {};
  /// Why it was not measured; empty: it was.
  std::string not_available = {};
  std::map<std::string, Estimate> figures = {};

  std::string name() const { return variant.empty() ? strategy : strategy + ", " + variant; }
  bool measured() const noexcept { return not_available.empty(); }
  /// nullptr: this row does not have it.
  const Estimate* figure(const std::string& key) const noexcept {
    const auto found = figures.find(key);
    return found == figures.end() ? nullptr : &found->second;
  }
};

struct Report {
  std::string scenario;
  /// What the figures were measured under.
  std::string title;
  std::vector<Column> columns = {};
  std::vector<Row> rows = {};
  /// The column that is drawn.
  std::string plotted = {};
  std::string expected = {};
  std::string seen = {};
  /// How noisy the machine was, what limited the run, what was left out.
  std::vector<std::string> notes = {};

  /// nullptr: there is no such row, or it was not measured.
  const Row* find(const std::string& strategy, std::uint32_t threads,
                  const std::string& variant = "") const noexcept {
    for (const Row& row : rows) {
      if (row.strategy == strategy && row.threads == threads && row.variant == variant && row.measured())
        return &row;
    }
    return nullptr;
  }
};

}  // namespace weft::tool::compare
