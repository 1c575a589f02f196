// SPDX-License-Identifier: Apache-2.0
#include "server_process.hpp"

#include <sstream>
#include <stdexcept>

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

constexpr double kStartSecondsMax = 30;  // under a sanitizer, on a busy machine

}  // namespace

Counters parse_counters(const std::string& json) {
  const auto object = nlohmann::json::parse(json, nullptr, false);
  if (!object.is_object() || !object.contains("total"))
    throw std::runtime_error("the server's counters are not what weft serve shows: " + json);
  Counters counters;
  for (const auto& [group, members] : object["total"].items()) {
    for (const auto& [name, value] : members.items()) {
      if (value.is_number()) counters[group + "." + name] = value.get<double>();
    }
  }
  return counters;
}

std::unique_ptr<ServerProcess> ServerProcess::start(const Launch& launch, std::string& not_available) {
  std::unique_ptr<ServerProcess> server(new ServerProcess(launch));
  const bool ready =
      wait_until(kStartSecondsMax, [&] { return server->find_port() || server->process_.poll(); });
  if (ready && server->port_ != 0) return server;
  not_available =
      ready ? last_line(server->process_.error_output(), "the server ended at once") : "it does not start";
  return nullptr;
}

bool ServerProcess::find_port() {
  const std::string mark = "listening at http://";
  const std::string text = process_.error_output();
  const std::size_t place = text.find(mark);
  if (place == text.npos) return false;
  const std::size_t end = text.find('\n', place);
  const std::size_t colon = text.rfind(':', end);
  if (end == text.npos || colon <= place + mark.size()) return false;
  port_ = static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1, end - colon)));
  return true;
}

std::string ServerProcess::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

Counters ServerProcess::counters() {
  if (!client_) client_.emplace(port_);
  try {
    return parse_counters(client_->get(kCountersPath));
  } catch (const std::runtime_error&) {
    require_alive();
    client_.emplace(port_);  // it was idle for too long
    return parse_counters(client_->get(kCountersPath));
  }
}

void ServerProcess::require_alive() {
  if (process_.poll())
    throw std::runtime_error("a server has ended: " + last_line(process_.error_output(), "silently"));
}

std::string last_line(const std::string& text, const std::string& otherwise) {
  std::istringstream lines(text);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
  }
  return last.empty() ? otherwise : last;
}

}  // namespace weft::tool::compare
