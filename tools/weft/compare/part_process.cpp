// SPDX-License-Identifier: Apache-2.0
#include "part_process.hpp"

#include "progress.hpp"
#include "server_process.hpp"

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

/// Nothing: the row says why.
std::optional<nlohmann::json> result_of(Entry& entry) {
  ChildProcess process(entry.launch);
  const int status = process.wait();
  if (status != 0) {
    entry.row.not_available =
        last_line(process.error_output(), "it ended with status " + std::to_string(status));
    return std::nullopt;
  }
  nlohmann::json result = nlohmann::json::parse(process.output(), nullptr, false);
  if (result.is_object()) return result;
  entry.row.not_available = "no result: " + process.output();
  return std::nullopt;
}

}  // namespace

std::optional<nlohmann::json> run_part(Report& report, Entry& entry) {
  progress(entry.row.strategy);
  std::optional<nlohmann::json> result = result_of(entry);
  if (!result) report.rows.push_back(entry.row);
  return result;
}

std::vector<Column> PartTable::columns() const {
  std::vector<Column> columns{figure};
  for (const CountedColumn& column : counted) columns.push_back({column.key, column.heading, decimals});
  return columns;
}

void add_rows_of_part(Report& report, Entry entry, const PartTable& table) {
  const std::optional<nlohmann::json> result = run_part(report, entry);
  if (!result) return;
  for (const char* const variant : table.variants) {
    const nlohmann::json& measured = result->at(variant);
    const nlohmann::json& counts = measured.at(table.counts);
    Row row = entry.row;
    row.variant = variant;
    row.figures[table.figure.key] =
        median_with_bounds(measured.at(table.figure.key).get<std::vector<double>>());
    for (const CountedColumn& column : table.counted) {
      if (counts.contains(column.counter)) row.figures[column.key] = {counts[column.counter].get<double>()};
    }
    report.rows.push_back(row);
  }
}

}  // namespace weft::tool::compare
