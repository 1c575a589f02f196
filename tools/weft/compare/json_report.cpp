// SPDX-License-Identifier: Apache-2.0
#include "json_report.hpp"

#include <cmath>
#include <cstdlib>
#include <sys/utsname.h>
#include <thread>

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

void add_figure(Json& object, const std::string& key, const Estimate* figure) {
  object[key] = figure == nullptr ? Json(nullptr) : number(figure->value);
  if (figure == nullptr || !figure->low) return;
  object[key + "_low"] = number(figure->low);
  object[key + "_high"] = number(figure->high);
}

Json row_object(const Report& report, const Row& row) {
  Json object{{"strategy", row.strategy}, {"threads", row.threads}};
  object["variant"] = row.variant;
  object["labels"] = row.labels;
  object["not_available"] = row.measured() ? Json(nullptr) : Json(row.not_available);
  for (const Column& column : report.columns) add_figure(object, column.key, row.figure(column.key));
  return object;
}

Json machine() {
  utsname names{};
  uname(&names);
  double load[1] = {0};
  [[maybe_unused]] const int count = getloadavg(load, 1);
  return {{"cpus", std::thread::hardware_concurrency()},
          {"kernel", names.release},
          {"machine", names.machine},
          {"load_average", load[0]}};
}

}  // namespace

std::string to_json(const Report& report, const std::string& command) {
  Json rows = Json::array();
  for (const Row& row : report.rows) rows.push_back(row_object(report, row));
  const Json object{
      {"scenario", report.scenario}, {"title", report.title}, {"command", command},    {"machine", machine()},
      {"expected", report.expected}, {"seen", report.seen},   {"notes", report.notes}, {"results", rows}};
  // What a server printed may be no UTF-8: replaced, not refused.
  return object.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace weft::tool::compare
