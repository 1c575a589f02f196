// SPDX-License-Identifier: Apache-2.0
// A little of everything that stacks are used for; ends with 0 if all of it is right.
#include <weft/weft.hpp>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;

int work(int number) {
  volatile char touched[4000];
  for (std::size_t i = 0; i < sizeof touched; i += 100) touched[i] = 1;
  static_cast<void>(weft::sleep(1ms));
  const std::string text(static_cast<std::size_t>(number), 'x');
  try {
    if (number % 7 == 0) throw std::runtime_error("thrown in a fiber");
  } catch (const std::runtime_error&) {
    weft::yield();
  }
  return static_cast<int>(text.size()) + touched[0] - 1;
}

int sum_of_many() {
  std::vector<weft::JoinHandle<int>> fibers;
  for (int i = 0; i < 50; ++i) fibers.push_back(weft::spawn([i] { return work(i); }));
  int sum = 0;
  for (auto& fiber : fibers) sum += fiber.join().value();
  return sum;
}

/// A closure of another size in a stack that was used before.
char large_closure() {
  const std::array<char, 3000> large{'l'};
  return weft::spawn([large] { return large[0]; }).join().value();
}

int through_a_channel() {
  weft::Channel<int> numbers(4);
  auto sender = weft::spawn([&] {
    for (int i = 0; i < 100; ++i) {
      if (!numbers.send(i)) return;
    }
    numbers.close();
  });
  int count = 0;
  while (numbers.receive()) ++count;
  return sender.join() ? count : -1;
}

std::string exchange() {
  weft::http::Server server;
  server.get("/", [](const weft::http::Request&, weft::http::Response& response) { response.text("hello"); });
  const auto address = server.start("127.0.0.1:0").value();
  std::string reply;
  {
    auto stream = weft::net::TcpStream::connect(address).value();
    if (!stream.write_all("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")) return "not sent";
    std::array<char, 1000> part;
    while (auto n = stream.read_some(std::as_writable_bytes(std::span(part)))) reply.append(part.data(), *n);
  }
  server.stop();
  return server.wait() ? reply : "not stopped";
}

bool all_is_right() {
  for (int round = 0; round < 3; ++round) {
    if (sum_of_many() != 1225 || large_closure() != 'l') return false;
    weft::this_fiber::trim_stack();
    weft::trim_memory();
  }
  return through_a_channel() == 100 && exchange().ends_with("\r\n\r\nhello");
}

}  // namespace

int main() {
  return weft::run({.parallelism = 2}, [] { return all_is_right() ? 0 : 1; });
}
