// SPDX-License-Identifier: Apache-2.0
#include "parts.hpp"
#include "serve_counters.hpp"
#include "server_process.hpp"

#include <weft/weft.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace weft::tool::compare {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr std::size_t kBufferSize = 1024;
/// What asking somebody else who the client is takes.
constexpr std::chrono::microseconds kLookup{200};

std::string response(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

const std::string& hello() {
  static const std::string text = response("Hello world!");
  return text;
}

class HandoffServer {
 public:
  explicit HandoffServer(std::uint32_t threads) : front_("front"), back_("back", {.parallelism = threads}) {}

  void run() {
    front_.spawn([this] { accept_all(); }).join_uncancellable();
  }

 private:
  void accept_all() {
    net::TcpListener listener = net::TcpListener::bind("127.0.0.1:0").value();
    std::fprintf(stderr, "listening at http://%s\n", listener.local_address().value().to_string().c_str());
    while (Result<net::TcpStream> stream = listener.accept()) {
      connections_.fetch_add(1, std::memory_order_relaxed);
      front_.spawn([this, stream = std::move(*stream)]() mutable { authenticate(std::move(stream)); });
    }
  }

  /// In front: the first request, and who sends it; meanwhile it is watched whether the client goes away, so
  /// the connection has been waited on here. Whoever may stay goes on in back.
  void authenticate(net::TcpStream stream) {
    std::string first = receive(stream, "");
    if (first.empty() || this_fiber::cancel_requested()) return;
    static_cast<void>(stream.wait_readable(Deadline::after(kLookup)));
    back_.spawn([this, stream = std::move(stream), first = std::move(first)]() mutable {
      serve(stream, std::move(first));
    });
  }

  void serve(net::TcpStream& stream, std::string requests) const {
    while (!requests.empty()) {
      const std::size_t end = requests.find(kEndOfHead);
      if (end != requests.npos && !answer(stream, requests.substr(0, end))) return;
      requests.erase(0, end == requests.npos ? 0 : end + kEndOfHead.size());
      if (requests.find(kEndOfHead) == requests.npos) requests = receive(stream, std::move(requests));
    }
  }

  bool answer(net::TcpStream& stream, const std::string& head) const {
    const bool asks_for_counters = head.find(kCountersPath) != head.npos;
    return stream.write_all(asks_for_counters ? response(counters()) : hello()).has_value();
  }

  /// What there is and at least one whole head; empty at the end of the connection.
  static std::string receive(net::TcpStream& stream, std::string text) {
    std::array<std::byte, kBufferSize> buffer;
    while (text.find(kEndOfHead) == text.npos) {
      const Result<std::size_t> n = stream.read_some(buffer);
      if (!n) return {};
      text.append(reinterpret_cast<const char*>(buffer.data()), *n);
    }
    return text;
  }

  std::string counters() const {
    nlohmann::json all = nlohmann::json::parse(counters_json());
    all["total"]["handoff"]["connections"] = connections_.load(std::memory_order_relaxed);
    return all.dump();
  }

  std::atomic<std::uint64_t> connections_{0};
  ConcurrentContext front_;
  ParallelContext back_;
};

}  // namespace

int run_handoff_part(const PartCommand& command) {
  return run([&] { HandoffServer(command.threads).run(); });
}

}  // namespace weft::tool::compare
