// SPDX-License-Identifier: Apache-2.0
#pragma once

// Parts of `weft compare` (parts.hpp) as processes, and their results as rows.

#include "fleet.hpp"
#include "report.hpp"

#include <optional>
#include <span>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace weft::tool::compare {

/// Runs a part to its end: the JSON it prints. Nothing if the part failed; then a row that says why is in the
/// report.
std::optional<nlohmann::json> run_part(Report& report, Entry& entry);

/// A counter that a part divides by what it measures, as a column.
struct CountedColumn {
  const char* key;
  const char* heading;
  const char* counter;
};

/// What a part measures in each of its variants: an array `figure`, and the counters in the object `counts`.
struct PartTable {
  Column figure;
  const char* counts;
  int decimals;  ///< of the counts
  std::span<const char* const> variants;
  std::span<const CountedColumn> counted;

  std::vector<Column> columns() const;
};

/// Runs a part; a row for each variant.
void add_rows_of_part(Report& report, Entry entry, const PartTable& table);

}  // namespace weft::tool::compare
