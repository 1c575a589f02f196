// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "report.hpp"

#include <string>

namespace weft::tool::compare {

/// The plotted column of a report as an SVG document: a bar for each row that has it, with its bounds as an
/// error bar. Readable on light and dark pages: no background, and colours that follow the reader's scheme.
std::string to_svg(const Report& report);

/// Text as it stands in XML; what XML cannot hold is left out.
std::string xml_escaped(const std::string& text);

}  // namespace weft::tool::compare
