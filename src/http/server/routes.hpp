// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/protocol/route_table.hpp"

#include <weft/http/server.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace weft::http::server {

/// The handlers of a server, by method and path: the typed shell of protocol::RouteTable.
/// Thread safety: answer() may run in many threads once no add() does.
class Routes {
 public:
  /// Throws std::invalid_argument if the pattern is malformed or taken, or there is no handler. Whatever it
  /// throws, nothing was added.
  void add(Method method, std::string_view pattern, Handler handler);

  /// Runs the handler for `head`, or answers 404, 405 or OPTIONS itself. Fills `parameters` before. Throws
  /// what the handler throws.
  void answer(const RequestHead& head, PathParameters& parameters, const Request& request,
              Response& response) const;

  /// Of the route whose handler runs for `head`: "/users/:id"; the path if there is none. Looked for again.
  [[gnu::cold]] std::string_view pattern_of(const RequestHead& head) const noexcept;

 private:
  struct Route {
    Handler handler;
    std::string pattern;
  };

  protocol::RouteTable table_;
  std::vector<Route> routes_;  // by RouteId
};

}  // namespace weft::http::server
