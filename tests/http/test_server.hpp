// SPDX-License-Identifier: Apache-2.0
#pragma once

// A server with a route of every kind, and the worlds that the tests run it in.

#include "support/sim_context.hpp"

#include <weft/execution_context.hpp>
#include <weft/http/server.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

namespace weft::http::test {

/// Whose sockets, and which threads serve.
enum class World { kSimulated, kConcurrent, kParallel, kSharded };

inline std::string name_of(World world) {
  switch (world) {
    case World::kSimulated: return "Simulated";
    case World::kConcurrent: return "Concurrent";
    case World::kParallel: return "Parallel2";
    case World::kSharded: return "Sharded2";
  }
  return "";
}
inline void PrintTo(World world, std::ostream* out) { *out << name_of(world); }

/// Runs `body` in a fiber of that world; it is told the contexts to serve with.
void run_in(World world, const std::function<void(const Contexts&)>& body);

/// In a simulated world with these options.
void run_simulated(const SimOptions& options, const std::function<void()>& body);

/// Serves the routes of the tests until it is destroyed:
///
///     GET /            "Hello world!"            GET /users/:id   the id
///     GET /files/*path the path                  GET /bytes/:n    n bytes, whole
///     GET /stream/:n   n bytes, written in parts GET /announced/:n the same with a Content-Length
///     POST /echo       the body, streamed        POST /size       the size of the body, read whole
///     POST /whole/:max the body, read whole      POST /rest       3 bytes read apart, and the rest whole
///     POST /ignore     "ignored"                 GET /close       "bye", and closes
class TestServer {
 public:
  explicit TestServer(const Contexts& contexts = {}, const Limits& limits = {});

  Server& server() { return server_; }
  const net::SocketAddress& address() const { return address_; }

  /// What the n-th byte of a body is.
  static std::string bytes(std::size_t size);

 private:
  Server server_;
  net::SocketAddress address_;
};

class HttpTest : public testing::TestWithParam<World> {
 protected:
  void run(const std::function<void(const Contexts&)>& body) { run_in(GetParam(), body); }
};

#define WEFT_HTTP_WORLDS(Suite)                                                                           \
  INSTANTIATE_TEST_SUITE_P(                                                                               \
      , Suite, testing::Values(World::kSimulated, World::kConcurrent, World::kParallel, World::kSharded), \
      [](const auto& world) { return name_of(world.param); })

}  // namespace weft::http::test
