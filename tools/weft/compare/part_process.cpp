// SPDX-License-Identifier: Apache-2.0
#include "part_process.hpp"

#include "server_process.hpp"

#include <nlohmann/json.hpp>

namespace weft::tool::compare {

std::optional<nlohmann::json> run_part(Entry& entry) {
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

}  // namespace weft::tool::compare
