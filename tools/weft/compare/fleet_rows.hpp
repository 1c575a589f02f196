// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fleet.hpp"
#include "report.hpp"

#include <vector>

namespace weft::tool::compare {

/// The columns of every scenario that is driven by wrk.
std::vector<Column> fleet_columns();

/// What was measured, in the order of the members. `add_figures` may put more into a row that was measured.
std::vector<Row> fleet_rows(const Fleet& fleet,
                            void (*add_figures)(Row& row, const Measured& member) = nullptr);

/// The figures of one server.
void fill_row(Row& row, const Measured& member, bool is_reference);

}  // namespace weft::tool::compare
