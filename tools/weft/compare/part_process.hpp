// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fleet.hpp"

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace weft::tool::compare {

/// Runs a part to its end: the JSON it prints. Nothing if the part failed; then the row says why.
std::optional<nlohmann::json> run_part(Entry& entry);

}  // namespace weft::tool::compare
