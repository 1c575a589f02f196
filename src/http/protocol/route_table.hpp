// SPDX-License-Identifier: Apache-2.0
#pragma once

// From method and path to a route's number: the untyped core of the router. The typed shell keeps the
// handlers.
//
// Patterns: "/", "/users/me", "/users/:id" (one segment, not empty), "/files/*path" (the rest, may be empty;
// last). A tree with one level a segment. Of the patterns that match and serve the method, a literal segment
// wins over a parameter, and that over a wildcard, from left to right; "/a/" and "/a" are different paths.
// Segments are compared percent-decoded; dot segments mean nothing here, so a handler that maps paths to
// files has to refuse them. Finding allocates nothing and visits each node of the tree at most once. A path
// that is a pattern of literals, byte for byte, is looked up without the tree: none comes before it.
//
// Thread safety: find() and allowed() may run in many threads once no add() does.

#include "http/protocol/path_index.hpp"

#include <weft/http/method.hpp>
#include <weft/http/path_parameters.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft::http::protocol {

using RouteId = std::uint32_t;

enum class RouteOutcome : std::uint8_t {
  kFound,             ///< `route` serves it; HEAD may be served by a route of GET
  kOptions,           ///< answer OPTIONS with `allowed`
  kMethodNotAllowed,  ///< 405 with `allowed`
  kNotFound,          ///< 404
};

struct RouteMatch {
  RouteOutcome outcome = RouteOutcome::kNotFound;
  RouteId route = 0;
  MethodSet allowed;
};

class RouteTable {
 public:
  RouteTable();
  ~RouteTable();
  RouteTable(RouteTable&&) noexcept;
  RouteTable& operator=(RouteTable&&) noexcept;

  /// What is wrong with the pattern, as the end of a sentence; null if nothing is, and it was added. May
  /// throw std::bad_alloc, and then has added nothing.
  [[nodiscard]] const char* add(Method method, std::string_view pattern, RouteId route);

  /// `path` as in RequestHead::path. Fills `parameters` if a route is found.
  RouteMatch find(Method method, std::string_view path, PathParameters& parameters) const noexcept;
  /// The same, for reports.
  [[gnu::cold, gnu::noinline]] RouteMatch find_again(Method method, std::string_view path,
                                                     PathParameters& parameters) const noexcept;

 private:
  struct Route;
  struct Search;
  struct Node;

  RouteMatch look_up(Method method, std::string_view path, PathParameters& parameters) const noexcept;

  std::unique_ptr<Node> root_;
  PathIndex literals_;  // pattern without names and "%" -> Node
  MethodSet all_;
};

/// "GET, HEAD, OPTIONS", for an Allow header.
std::string allow_value(MethodSet methods);

}  // namespace weft::http::protocol
