// SPDX-License-Identifier: Apache-2.0
// A TCP proxy: several backends with health checks, limits, half-close; the bytes stay in the kernel.
//
//   tcp_proxy ADDRESS BACKEND... [NAME=NUMBER]...      try: tcp_proxy :7002 127.0.0.1:7000 idle_ms=5000
// The names are those of `limits`. On Ctrl-C it accepts no more, and connections have grace_ms to finish.

#include <weft/weft.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <deque>
#include <map>
#include <set>

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using weft::net::TcpStream;

namespace {

std::map<std::string, int, std::less<>> limits{
    {"connections", 10'000},                 // at a time; more wait in the kernel's queue
    {"rate", 1'000},                         // new connections a second; more wait there, too
    {"idle_ms", 60'000},                     // without a byte in either direction: the connection is reset
    {"connect_ms", 2'000},                   // for one backend, then the next one is tried
    {"check_ms", 1'000},                     // between two health checks of a backend
    {"grace_ms", 5'000},     {"policy", 1},  // 1: the backend with the fewest connections; 2: all in turn
};
std::size_t limit(const char* name) { return static_cast<std::size_t>(limits.at(name)); }
milliseconds time_limit(const char* name) { return milliseconds(limits.at(name)); }

struct Backend {
  std::string address;
  bool healthy = true;
  int connections = 0;
  std::uint64_t turn = 0;  // when it was chosen last
  auto rank() const { return std::pair(limit("policy") == 2 ? 0 : connections, turn); }
};

/// The time since a byte has come or gone.
milliseconds idle_time(const TcpStream& stream) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(stream.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0ms;
  return milliseconds(std::min(info.tcpi_last_data_sent, info.tcpi_last_data_recv));
}

/// One direction. The end of the bytes is passed on, and the other direction goes on.
weft::Result<void> forward(TcpStream& from, TcpStream& to) {
  if (const auto copied = weft::io::copy(from, to); !copied) return copied.failure();
  return to.shutdown(weft::net::ShutdownMode::kWrite);
}

void join(TcpStream& client, TcpStream& server) {
  weft::TaskGroup<void> directions, watch;
  directions.spawn([&] { return forward(client, server); });
  directions.spawn([&] { return forward(server, client); });
  watch.spawn([&] {
    milliseconds left = time_limit("idle_ms");
    while (left > 0ms && weft::sleep(left))
      left = time_limit("idle_ms") - std::min(idle_time(client), idle_time(server));
    if (left <= 0ms) directions.cancel();
  });
  if (directions.wait()) return;
  for (TcpStream* const cut_off : {&client, &server}) std::ignore = cut_off->set_linger(0s);  // by a reset
}

/// All fibers run on one thread, so what they share needs no lock.
struct Proxy {
  std::deque<Backend> backends = {};
  std::uint64_t turns = 0;

  static void check(Backend& backend) {
    weft::Ticker ticker(time_limit("check_ms"), weft::Deadline::after(0ms));
    while (ticker.tick()) {
      const auto probe = weft::net::connect(backend.address, time_limit("connect_ms"));
      if (probe.error() == std::errc::too_many_files_open || weft::this_fiber::cancel_requested()) continue;
      if (probe.has_value() == std::exchange(backend.healthy, probe.has_value())) continue;
      std::printf("%s\n", probe ? (backend.address + " is up again").c_str() : probe.message().c_str());
    }
  }

  Backend* choose(const std::set<Backend*>& tried) {
    Backend* best = nullptr;
    for (Backend& backend : backends)
      if (backend.healthy && !tried.contains(&backend) && (best == nullptr || backend.rank() < best->rank()))
        best = &backend;
    if (best != nullptr) best->turn = ++turns;
    return best;
  }

  void serve(TcpStream& client) {
    std::set<Backend*> tried;
    while (Backend* const backend = choose(tried)) {
      ++backend->connections;
      auto server = weft::net::connect(backend->address, time_limit("connect_ms"));
      if (server) join(client, *server);
      --backend->connections;
      if (server || !tried.insert(backend).second) return;
    }
    std::ignore = client.set_linger(0s);  // there is no backend: the client is reset
  }

  void run(weft::net::TcpListener& listener) {
    weft::CancelScope stop;  // ends on Ctrl-C
    const weft::CancelToken stopped = stop.token();
    const weft::CancelShield shield;  // but connections have time to finish
    weft::Semaphore places(limit("connections"));
    weft::TaskGroup<void> connections, checks;
    for (Backend& backend : backends) checks.spawn([&] { check(backend); });
    weft::RateLimiter rate(limits.at("rate"), limit("rate") / 10 + 1);
    weft::CancelScope accepting(stopped);
    while (places.acquire() && rate.acquire()) {
      auto client = listener.accept();
      if (!client) break;
      connections.spawn([&, client = std::move(*client)]() mutable { serve(client), places.release(); });
    }
    std::ignore = listener.close();
    std::ignore = weft::shield([&] { return connections.wait(); }, time_limit("grace_ms"));  // then cancels
  }
};

bool parse(std::string_view text, std::deque<Backend>& addresses) {
  const std::size_t equals = text.find('=');
  if (equals == text.npos) return addresses.push_back({std::string(text)}), true;
  const auto found = limits.find(text.substr(0, equals));
  if (found == limits.end()) return false;
  const auto parsed = std::from_chars(text.data() + equals + 1, text.data() + text.size(), found->second);
  return parsed == std::from_chars_result{text.data() + text.size(), {}} && found->second > 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Proxy proxy;
  const auto good = [&](const char* text) { return parse(text, proxy.backends); };
  if (argc < 3 || !std::all_of(argv + 2, argv + argc, good) || proxy.backends.empty())
    return std::fputs("usage: tcp_proxy ADDRESS BACKEND... [NAME=NUMBER]...\n", stderr), 2;
  return weft::run({.stop_on = {SIGINT, SIGTERM}}, [&proxy, address = argv[1]] {
    auto listener = weft::net::TcpListener::bind(address);
    if (!listener) return std::fprintf(stderr, "tcp_proxy: %s\n", listener.message().c_str()), 1;
    std::printf("listening at %s\n", listener->local_address().value().to_string().c_str());
    return proxy.run(*listener), 0;
  });
}
