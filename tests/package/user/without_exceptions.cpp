// SPDX-License-Identifier: Apache-2.0
// Every public header, compiled with -fno-exceptions -fno-rtti; what it makes of them runs.
#include <weft/weft.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "compiled with what it is to go without"
#endif

namespace {

using namespace std::chrono_literals;

void check(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::_Exit(1);
}

std::string ask(const weft::net::SocketAddress& address) {
  auto stream = weft::net::TcpStream::connect(address).value();
  check(stream.write_all("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").has_value(), "write");
  std::string reply;
  char piece[256];
  while (auto n = stream.read_some_until(piece, 10s)) reply.append(piece, *n);
  return reply;
}

void serve_and_ask() {
  weft::http::Server server;
  server.get("/", [](const weft::http::Request&, weft::http::Response& response) { response.text("hello"); });
  const auto address = server.start("127.0.0.1:0").value();
  check(ask(address).ends_with("hello"), "the reply");
  weft::Channel<int> channel(1);
  weft::TaskGroup<void> group;
  group.spawn([&] { return channel.send(7); });
  check(channel.receive().value() == 7, "the channel");
  check(group.wait().has_value(), "the group");
  weft::Mutex mutex;
  weft::sleep(1ms);
  check(mutex.lock_until(1s).has_value(), "the mutex");
  mutex.unlock();
}

/// The end of a program that takes the value of an error.
int status_of_no_value() {
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(weft::net::SocketAddress::parse("nowhere").value());
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

int main() {
  weft::run({.parallelism = 2}, serve_and_ask);
  const int status = status_of_no_value();
  check(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "value() of an error");
  return 0;
}
