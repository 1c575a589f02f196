// SPDX-License-Identifier: Apache-2.0
// Clients of a server that is replaced while they ask: some connect anew for each request, at a steady rate,
// others keep their connection. None tries again: whatever is not a whole answer of status 200 is a failure.
//
//     handover_load ADDRESS FRESH-PER-SECOND KEPT
//
// Asks until its standard input ends, then prints "REQUESTS requests, FAILURES failures" and the first of
// them.
#include <weft/weft.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::net::TcpStream;

/// How often a kept connection asks: a pause, so that it is idle most of the time.
constexpr std::chrono::milliseconds kKeptPause{25};

// One thread.
struct Counts {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::string first = {};

  void add(const std::string& failure) {
    ++requests;
    if (failure.empty()) return;
    if (failures++ == 0) first = failure;
  }
};

struct Answer {
  std::string failure;  ///< empty: there is none
  bool closes = true;
};

// Content-Length is all that the servers of this test use.
Answer read_answer(TcpStream& stream) {
  std::string reply;
  std::array<char, 4096> part;
  for (;;) {
    const std::size_t end = reply.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::size_t length = reply.find("ontent-Length: ");
      const std::size_t lower = reply.find("ontent-length: ");
      const std::size_t at = std::min(length, lower);
      if (at == std::string::npos || at > end) return {"no length: " + reply.substr(0, end)};
      const std::size_t size = end + 4 + std::strtoul(reply.c_str() + at + 15, nullptr, 10);
      if (reply.size() >= size) {
        if (!reply.starts_with("HTTP/1.1 200 ")) return {"answered " + reply.substr(0, end)};
        const bool closes = reply.find("onnection: close") != std::string::npos ||
                            reply.find("onnection: Close") != std::string::npos;
        return {"", closes};
      }
    }
    const auto n = stream.read_some_until(std::as_writable_bytes(std::span(part)), Deadline::after(20s));
    if (!n) return {"read " + std::to_string(reply.size()) + " bytes: " + n.error().message()};
    reply.append(part.data(), *n);
  }
}

Answer ask(TcpStream& stream, const char* connection) {
  const std::string request =
      std::string("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: ") + connection + "\r\n\r\n";
  if (const auto sent = stream.write_all(request); !sent) return {"write: " + sent.error().message()};
  return read_answer(stream);
}

weft::Result<TcpStream> connect(const weft::net::SocketAddress& server) {
  return TcpStream::connect(server, Deadline::after(20s));
}

void ask_once(const weft::net::SocketAddress& server, Counts& counts) {
  auto stream = connect(server);
  counts.add(stream ? ask(*stream, "close").failure : "connect: " + stream.error().message());
}

void keep_asking(const weft::net::SocketAddress& server, Counts& counts, const bool& stopped) {
  while (!stopped) {
    auto stream = connect(server);
    if (!stream) {
      counts.add("connect to keep: " + stream.error().message());
      continue;
    }
    for (bool open = true; open && !stopped;) {
      const Answer answer = ask(*stream, "keep-alive");
      counts.add(answer.failure.empty() ? "" : "kept: " + answer.failure);
      open = answer.failure.empty() && !answer.closes;
      if (open) static_cast<void>(weft::sleep(kKeptPause));
    }
  }
}

void load(const weft::net::SocketAddress& server, int fresh_per_second, int kept, const bool& stopped) {
  Counts counts;
  {
    weft::TaskGroup<void> group;
    for (int i = 0; i < kept; ++i) group.spawn([&] { keep_asking(server, counts, stopped); });
    Deadline next = Deadline::after(0ms);
    while (!stopped) {
      group.spawn([&] { ask_once(server, counts); });
      next = Deadline::at_ns(next.time_ns() + 1'000'000'000 / fresh_per_second);
      static_cast<void>(weft::sleep_until(next));
    }
    static_cast<void>(group.wait());
  }
  std::printf("%llu requests, %llu failures%s%s\n", static_cast<unsigned long long>(counts.requests),
              static_cast<unsigned long long>(counts.failures),
              counts.failures == 0 ? "" : "; the first: ", counts.first.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return weft::run({.parallelism = 1}, [&] {
    const auto server = weft::net::SocketAddress::parse(argv[1]).value();
    bool stopped = false;
    weft::Channel<bool> ended;
    weft::IsolatedContext input("input", [&] {
      char byte;
      while (::read(STDIN_FILENO, &byte, 1) > 0) {}
      static_cast<void>(ended.send(true));
    });
    auto stopping = weft::spawn([&] {
      static_cast<void>(ended.receive());
      stopped = true;
    });
    load(server, std::atoi(argv[2]), std::atoi(argv[3]), stopped);
    stopping.join_uncancellable();
  });
}
