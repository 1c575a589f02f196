// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

namespace weft::tool::compare {
namespace {

using Line = std::vector<std::string>;

std::string cell(const Row& row, const Column& column) {
  const Estimate* const figure = row.figure(column.key);
  return figure == nullptr ? "-" : to_text(*figure, column.decimals);
}

Line heading(const Report& report, int table) {
  Line line{"strategy", "threads"};
  for (const Column& column : report.columns) {
    if (column.table == table) line.push_back(column.heading);
  }
  return line;
}

Line cells(const Report& report, const Row& row, int table) {
  Line line{row.name(), std::to_string(row.threads)};
  for (const Column& column : report.columns) {
    if (column.table == table) line.push_back(cell(row, column));
  }
  return line;
}

// Behind the last column: what belongs to the row as a whole.
std::string remark(const Row& row) {
  std::string text;
  for (const std::string& label : row.labels) text += (text.empty() ? "" : "; ") + label;
  return text;
}

std::string padded(const std::string& text, std::size_t width, bool left) {
  const std::string blanks(width - std::min(width, text.size()), ' ');
  return left ? text + blanks : blanks + text;
}

std::vector<std::size_t> widths_of(const std::vector<Line>& lines) {
  std::vector<std::size_t> widths;
  for (const Line& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  return widths;
}

std::string joined(const Line& line, const std::vector<std::size_t>& widths) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (i != 0) text += "  ";
    text += padded(line[i], widths[i], i == 0);
  }
  return text;
}

std::string table_text(const Report& report, int table) {
  std::vector<Line> lines{heading(report, table)};
  for (const Row& row : report.rows) {
    lines.push_back(row.measured() ? cells(report, row, table)
                                   : Line{row.name(), std::to_string(row.threads)});
  }
  const std::vector<std::size_t> widths = widths_of(lines);
  std::string text = joined(lines[0], widths) + "\n";
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    const Row& row = report.rows[i];
    text += joined(lines[i + 1], widths);
    if (!row.measured()) text += "  not available: " + row.not_available;
    if (const std::string words = remark(row); !words.empty() && table == 0) text += "  (" + words + ")";
    text += "\n";
  }
  return text;
}

}  // namespace

std::string fixed_point(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string to_text(const Estimate& estimate, int decimals) {
  std::string text = fixed_point(estimate.value, decimals);
  if (estimate.low)
    text += " [" + fixed_point(*estimate.low, decimals) + ", " + fixed_point(*estimate.high, decimals) + "]";
  return text;
}

std::string to_text(const Report& report) {
  std::set<int> tables;
  for (const Column& column : report.columns) tables.insert(column.table);
  std::string text = report.title + "\n\n";
  for (const int table : tables) text += table_text(report, table) + "\n";
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  text += "expected: " + report.expected + "\n";
  text += "seen: " + report.seen + "\n";
  return text;
}

}  // namespace weft::tool::compare
