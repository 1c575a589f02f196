// SPDX-License-Identifier: Apache-2.0
#include "test_server.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace weft::http::test {
namespace {

std::size_t size_parameter(const Request& request) { return std::stoul(request.parameter("n").value()); }

// Parts of growing size, so that their borders fall everywhere.
void write_parts(Response& response, const std::string& body) {
  std::string_view left = body;
  for (std::size_t part = 1; !left.empty(); part += 997) {
    if (!response.write(left.substr(0, part))) return;
    left.remove_prefix(std::min(part, left.size()));
  }
}

void echo(const Request& request, Response& response) {
  std::array<std::byte, 1000> buffer;
  while (const Result<std::size_t> n = request.read_some(buffer)) {
    if (!response.write(std::span(buffer).first(*n))) return;
  }
}

void add_routes(Server& server) {
  server.get("/", [](const Request&, Response& response) { response.text("Hello world!"); });
  server.get("/users/:id", [](const Request& request, Response& response) {
    response.text(request.parameter("id").value());
  });
  server.get("/files/*path", [](const Request& request, Response& response) {
    response.text(request.parameter("path").value());
  });
  server.get("/bytes/:n", [](const Request& request, Response& response) {
    response.body(TestServer::bytes(size_parameter(request)), "application/octet-stream");
  });
  server.get("/stream/:n", [](const Request& request, Response& response) {
    write_parts(response, TestServer::bytes(size_parameter(request)));
  });
  server.get("/announced/:n", [](const Request& request, Response& response) {
    EXPECT_TRUE(response.header("Content-Length", request.parameter("n").value()));
    write_parts(response, TestServer::bytes(size_parameter(request)));
  });
  server.post("/echo", echo);
  server.post("/size", [](const Request& request, Response& response) {
    const Result<std::string> body = request.read_all(kUnlimited);
    response.text(body ? std::to_string(body->size()) : body.error().message());
  });
  server.post("/whole/:max", [](const Request& request, Response& response) {
    const Result<std::string> body = request.read_all(std::stoull(request.parameter("max").value()));
    response.body(body ? *body : body.error().message(), "application/octet-stream");
  });
  server.post("/rest", [](const Request& request, Response& response) {
    std::array<std::byte, 3> first;
    const std::size_t size = request.read_some(first).value_or(0);
    response.text(std::to_string(size) + " and " + request.read_all().value());
  });
  server.post("/ignore", [](const Request&, Response& response) { response.text("ignored"); });
  server.get("/close", [](const Request&, Response& response) {
    response.close_connection();
    response.text("bye");
  });
}

}  // namespace

void run_in(World world, const std::function<void(const Contexts&)>& body) {
  if (world == World::kSimulated) return run_simulated({}, [&] { body({}); });
  if (world == World::kConcurrent)
    return ConcurrentContext("test").spawn([&] { body({}); }).join_uncancellable();
  if (world == World::kParallel)
    return ParallelContext("test", {.parallelism = 2}).spawn([&] { body({}); }).join_uncancellable();
  ConcurrentContext first("first");
  ConcurrentContext second("second");
  ConcurrentContext("test").spawn([&] { body({&first, &second}); }).join_uncancellable();
}

void run_simulated(const SimOptions& options, const std::function<void()>& body) {
  weft::test::SimContext("world", options).spawn([&] { body(); }).join_uncancellable();
}

TestServer::TestServer(const Contexts& contexts, const Limits& limits) : server_(limits) {
  add_routes(server_);
  address_ = server_.start("127.0.0.1:0", {.contexts = contexts}).value();
}

std::string TestServer::bytes(std::size_t size) {
  std::string body(size, '\0');
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i % 23);
  return body;
}

}  // namespace weft::http::test
