// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report.hpp"

#include <string>

namespace weft::tool::compare {

/// The tables of a report, with its title, notes, and what was expected and seen: text for a terminal, each
/// line ending in a newline.
std::string to_text(const Report& report);

/// "1.203 [1.187, 1.220]", or without the bounds if there are none.
std::string to_text(const Estimate& estimate, int decimals);

/// With so many digits behind the point.
std::string fixed_point(double value, int decimals);

}  // namespace weft::tool::compare
