// SPDX-License-Identifier: Apache-2.0
// A plugin of a program that is not weft's: fibers on several threads, an exception, and an exchange of HTTP.
#include <cstdio>
#include <stdexcept>
#include <string>

#include <weft/weft.hpp>

namespace {

int sum_of_fibers() {
  weft::Channel<int> numbers(4);
  auto sender = weft::spawn([&] {
    for (int i = 1; i <= 100; ++i) {
      if (!numbers.send(i)) return;
    }
    numbers.close();
  });
  int sum = 0;
  while (auto number = numbers.receive()) sum += *number;
  return sender.join() ? sum : -1;
}

bool exception_arrives() {
  try {
    static_cast<void>(weft::spawn([]() -> int { throw std::runtime_error("thrown in a fiber"); }).join());
  } catch (const std::runtime_error&) {
    return true;
  }
  return false;
}

std::string exchange() {
  weft::http::Server server;
  server.get("/", [](const weft::http::Request&, weft::http::Response& response) { response.text("hello"); });
  const auto address = server.start("127.0.0.1:0").value();
  auto stream = weft::net::TcpStream::connect(address).value();
  if (!stream.write_all("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")) return "not sent";
  std::string reply;
  char part[1000];
  while (auto n = stream.read_some(std::as_writable_bytes(std::span(part)))) reply.append(part, *n);
  server.stop();
  return server.wait() ? reply : "not stopped";
}

}  // namespace

extern "C" int run_plugin() {
  return weft::run({.parallelism = 2}, [] {
    const bool right = sum_of_fibers() == 5050 && exception_arrives() &&
                       exchange().find("\r\n\r\nhello") != std::string::npos;
    std::puts(right ? "the plugin ran" : "the plugin went wrong");
    return right ? 0 : 1;
  });
}
