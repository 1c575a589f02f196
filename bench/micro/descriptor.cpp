// SPDX-License-Identifier: Apache-2.0
// What read -> wait -> wake -> resume costs: a byte sent back and forth over a TCP connection whose both ends
// are in one thread. In weft two fibers of one context; beside it, in the same run, the same syscalls by
// hand: an epoll_wait, a recv and a send for each byte. Medians over interleaved rounds.
//
//   bench_descriptor                         the times, in ns for each byte
//   bench_descriptor once weft|bare COUNT    one of them alone, COUNT bytes: for callgrind and strace -c
//   bench_descriptor once moves COUNT        a socket that two contexts read by turns, COUNT bytes

#include <weft/execution_context.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using weft::net::TcpListener;
using weft::net::TcpStream;

constexpr int kRounds = 101;
constexpr int kBytes = 1'000;  // so few that the monitor does not take the loop by hand for a stuck fiber

double now() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void must(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::exit(1);
}

/// Reads `count` bytes, one at a time, and sends each back.
void send_back(TcpStream& stream, int count) {
  std::array<std::byte, 64> buffer;
  for (int i = 0; i < count; ++i) {
    must(stream.read_some(buffer).has_value(), "read_some");
    must(stream.write_all("x").has_value(), "write_all");
  }
}

/// `count` bytes, half of them each way.
void fibers(TcpStream& here, TcpStream& there, int count) {
  auto other = weft::spawn([&] { send_back(there, count / 2); });
  must(here.write_all("x").has_value(), "write_all");
  send_back(here, count / 2);
  other.join_uncancellable();
  std::array<std::byte, 64> rest;
  (void)there.read_some(rest);
}

/// The two ends of a connection and an epoll with both, edge-triggered: nothing but the syscalls.
class BareLoop {
 public:
  BareLoop() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    must(bind(listener, raw, size) == 0 && listen(listener, 1) == 0, "listen");
    must(getsockname(listener, raw, &size) == 0, "getsockname");
    fds_[0] = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(fds_[0], raw, size) == 0, "connect");
    fds_[1] = accept(listener, nullptr, nullptr);
    close(listener);
    for (const int fd : fds_) watch(fd);
  }

  /// `count` bytes, half of them each way.
  void run(int count) const {
    must(send(fds_[0], "x", 1, MSG_NOSIGNAL) == 1, "send");
    for (int i = 0; i < count; ++i) turn();
    std::array<char, 64> rest;
    must(recv(fds_[count % 2 == 0 ? 1 : 0], rest.data(), rest.size(), 0) == 1, "recv");
  }

 private:
  void watch(int fd) const {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.fd = fd;
    must(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
  }

  /// One byte: waits for it, takes it, sends one back. Events of an end that has nothing cost nothing more.
  void turn() const {
    std::array<epoll_event, 64> events;
    for (bool done = false; !done;) {
      const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if ((event.events & EPOLLIN) == 0) continue;
        std::array<char, 64> buffer;
        if (recv(event.data.fd, buffer.data(), buffer.size(), MSG_DONTWAIT) != 1) continue;
        must(send(event.data.fd, "x", 1, MSG_NOSIGNAL) == 1, "send");
        done = true;
        break;
      }
    }
  }

  std::array<int, 2> fds_{};
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
};

struct Pair {
  TcpStream here;
  TcpStream there;

  static Pair create() {
    TcpListener listener = TcpListener::bind("127.0.0.1:0").value();
    TcpStream here = TcpStream::connect(listener.local_address().value()).value();
    return {std::move(here), listener.accept().value()};
  }
};

template <class Run>
double ns_each(int count, Run&& run) {
  const double start = now();
  run(count);
  return (now() - start) / count;
}

double median(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run_times() {
  Pair pair = Pair::create();
  const BareLoop bare;
  std::vector<double> weft_ns, bare_ns;
  for (int round = 0; round < kRounds; ++round) {
    weft_ns.push_back(ns_each(kBytes, [&](int count) { fibers(pair.here, pair.there, count); }));
    bare_ns.push_back(ns_each(kBytes, [&](int count) { bare.run(count); }));
  }
  const double unit = median(bare_ns);
  std::printf("%-24s %8.0f ns a byte\n", "epoll by hand", unit);
  std::printf("%-24s %8.0f ns a byte  %.3f x by hand\n", "fibers", median(weft_ns), median(weft_ns) / unit);
}

void fibers_once(int count) {
  Pair pair = Pair::create();
  fibers(pair.here, pair.there, count);
}

/// Each byte is waited for in the other context than the one before: so many moves, but one.
void moves_once(int count) {
  Pair pair = Pair::create();
  weft::ConcurrentContext a("a");
  weft::ConcurrentContext b("b");
  std::array<std::byte, 64> buffer;
  for (int i = 0; i < count; ++i) {
    auto reader = (i % 2 == 0 ? a : b).spawn([&] { return pair.there.read_some(buffer).has_value(); });
    must(weft::sleep(std::chrono::microseconds(200)).has_value(), "sleep");  // so that it has to wait
    must(pair.here.write_all("x").has_value() && reader.join_uncancellable(), "a byte");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return weft::run(run_times);
  const int count = std::atoi(argv[3]);
  if (argv[2] == std::string_view("weft")) return weft::run([count] { fibers_once(count); });
  if (argv[2] == std::string_view("moves")) return weft::run([count] { moves_once(count); });
  BareLoop().run(count);
}
