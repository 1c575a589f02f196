// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report.hpp"

#include <string>

namespace weft::tool::compare {

/// The report as JSON: {"scenario", "command", "machine": {...}, "expected", "seen", "notes": [...],
/// "results": [{"strategy", "threads", "variant", "labels", "not_available", and each column by its key; a
/// figure with bounds has them beside it as KEY_low and KEY_high}]}. A figure that a row does not have is
/// null.
std::string to_json(const Report& report, const std::string& command);

}  // namespace weft::tool::compare
