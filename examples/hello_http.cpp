// SPDX-License-Identifier: Apache-2.0
// An HTTP server with a parameter in its path, a streamed response, and a body that is read while it arrives.
//
//   hello_http [ADDRESS]         127.0.0.1:8080 unless given; try: curl http://127.0.0.1:8080/hello/world

#include <weft/weft.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

using namespace std::chrono_literals;
using weft::http::Request;
using weft::http::Response;

namespace {

void hello(const Request& request, Response& response) {
  response.text("Hello " + request.parameter("name").value_or("stranger") + "!");
}

/// Sends a response in pieces. The fiber sleeps in between; its thread does not.
void count(const Request&, Response& response) {
  for (int i = 1; i <= 3; ++i) {
    if (!response.write(std::to_string(i) + "\n")) return;  // the client is gone
    if (!weft::sleep(10ms)) return;                         // cancelled
  }
}

/// Counts the bytes of a body while it arrives, without keeping it.
void measure(const Request& request, Response& response) {
  std::array<std::byte, 4096> buffer;
  std::size_t size = 0;
  while (auto n = request.read_some(buffer)) size += *n;
  response.text(std::to_string(size) + " bytes");
}

}  // namespace

int main(int argc, char** argv) {
  const char* const address = argc > 1 ? argv[1] : "127.0.0.1:8080";
  // Ctrl-C drains the server; once more kills it.
  return weft::run({.stop_on = {SIGINT, SIGTERM}}, [address] {
    weft::ParallelContext workers("workers", {.parallelism = 2});
    weft::http::Server server({.cancel_grace = 10s});
    server.get("/hello/:name", hello).get("/count", count).post("/measure", measure);
    const auto bound = server.start(address, {.contexts = &workers}).value();
    std::printf("listening at %s\n", bound.to_string().c_str());
    std::fflush(stdout);
    const auto waited = server.wait();
    if (waited.error() != weft::Errc::cancelled) waited.value();
    std::printf("drained\n");
  });
}
