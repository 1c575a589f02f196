// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "child_process.hpp"
#include "http_client.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft::tool::compare {

/// Where a server that is compared shows its counters.
inline constexpr const char* kCountersPath = "/_weft/counters";

/// The numbers of `weft serve --counters-path`, by "object.name": its totals over all contexts, and what it
/// says of itself.
using Counters = std::map<std::string, double>;

/// Throws std::runtime_error if it is not what `weft serve` shows.
Counters parse_counters(const std::string& json);

/// A server in a process of its own.
class ServerProcess {
 public:
  /// Starts it and waits until it says where it listens ("listening at http://HOST:PORT" on standard error).
  /// If it ends before, what it says instead is the reason that it is not available.
  static std::unique_ptr<ServerProcess> start(const Launch& launch, std::string& not_available);

  pid_t pid() const noexcept { return process_.pid(); }
  std::uint16_t port() const noexcept { return port_; }
  std::string url(const std::string& path = "/") const;
  /// Over a connection that stays open, so that what it costs is not counted between two calls.
  Counters counters();
  /// Throws std::runtime_error, with its last words, if it has ended.
  void require_alive();

 private:
  explicit ServerProcess(const Launch& launch) : process_(launch) {}
  bool find_port();

  ChildProcess process_;
  std::uint16_t port_ = 0;
  std::optional<HttpClient> client_;
};

/// The last line that is not empty, or `otherwise`.
std::string last_line(const std::string& text, const std::string& otherwise);

}  // namespace weft::tool::compare
