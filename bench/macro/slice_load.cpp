// SPDX-License-Identifier: Apache-2.0
// The load of `bench/compare.py slices`: holds connections to several servers at once and loads one of them
// at a time, for a slice of some ten milliseconds, so that what is compared ran within a fraction of a second
// of each other: a machine that drifts by 20 % in a minute drifts for all of them alike. The first server is
// the reference; its slices stand between those of the others, whose order is shuffled.
//
//   slice_load CONNECTIONS SLICE_MS SECONDS NAME:PID:PORT...
//
// A line for each slice: name, requests, CPU ns of the whole server process, wall ns, p50 and p99 in ns, the
// longest time in ns between two turns of this program (a slice in which the host took the CPU away shows
// there), and the CPU ns of this program: where they reach the wall's, no server could get more requests.
//
// Like wrk it reads all answers that a wait brought, then sends the next requests: bursts.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
constexpr int kStuckMs = 5000;

[[noreturn]] void fail(const std::string& who, const char* what) {
  std::fprintf(stderr, "%s: %s\n", who.c_str(), what);
  std::exit(1);
}

std::int64_t clock_ns(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

struct Connection {
  int fd;
  std::int64_t sent_ns = 0;
};

struct Slice {
  std::vector<std::int64_t> latencies_ns{};
  std::int64_t cpu_ns = 0;
  std::int64_t wall_ns = 0;
  std::int64_t longest_gap_ns = 0;
  std::int64_t load_cpu_ns = 0;
};

class Server {
 public:
  /// `spec`: NAME:PID:PORT.
  Server(const std::string& spec, std::size_t connections) {
    const auto pid = spec.find(':');
    const auto port = spec.rfind(':');
    if (pid == spec.npos || pid == port) fail(spec, "expected NAME:PID:PORT");
    name_ = spec.substr(0, pid);
    if (clock_getcpuclockid(std::atoi(spec.c_str() + pid + 1), &clock_) != 0) fail(name_, "no such process");
    for (std::size_t i = 0; i < connections; ++i)
      connections_.push_back({connect_to(static_cast<std::uint16_t>(std::atoi(spec.c_str() + port + 1)))});
    for (Connection& connection : connections_) watch(connection);
  }

  const std::string& name() const { return name_; }

  Slice load(std::int64_t slice_ns) {
    Slice slice;
    const std::int64_t cpu_ns = clock_ns(clock_);
    const std::int64_t load_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    const std::int64_t start_ns = now_ns();
    for (Connection& connection : connections_) send_request(connection);
    run_until(start_ns + slice_ns, slice);
    slice.wall_ns = now_ns() - start_ns;
    slice.load_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - load_cpu_ns;
    usleep(300);  // the server goes to sleep: what that takes is a part of its slice
    slice.cpu_ns = clock_ns(clock_) - cpu_ns;
    return slice;
  }

 private:
  int connect_to(std::uint16_t port) const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
      fail(name_, "cannot connect");
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
  }

  void watch(Connection& connection) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0) fail(name_, "epoll_ctl");
  }

  void send_request(Connection& connection) const {
    connection.sent_ns = now_ns();
    if (send(connection.fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) fail(name_, "cannot send");
  }

  void receive_answer(const Connection& connection, Slice& slice) const {
    std::array<char, 4096> answer;
    if (recv(connection.fd, answer.data(), answer.size(), 0) <= 0) fail(name_, "closed the connection");
    slice.latencies_ns.push_back(now_ns() - connection.sent_ns);
  }

  /// Sends on until `end_ns`, then waits for what is under way.
  void run_until(std::int64_t end_ns, Slice& slice) const {
    std::array<epoll_event, 1024> ready;
    std::int64_t last_ns = now_ns();
    for (std::size_t live = connections_.size(); live > 0;) {
      const int count = epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), kStuckMs);
      if (count <= 0) fail(name_, "does not answer");
      const std::int64_t turn_ns = now_ns();
      slice.longest_gap_ns = std::max(slice.longest_gap_ns, turn_ns - last_ns);
      last_ns = turn_ns;
      const auto end = ready.begin() + count;
      for (auto it = ready.begin(); it != end; ++it) receive_answer(connection_of(*it), slice);
      if (turn_ns >= end_ns) {
        live -= static_cast<std::size_t>(count);
      } else {
        for (auto it = ready.begin(); it != end; ++it) send_request(connection_of(*it));
      }
    }
  }

  static Connection& connection_of(const epoll_event& event) {
    return *static_cast<Connection*>(event.data.ptr);
  }

  std::string name_;
  clockid_t clock_{};
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections_{};
};

std::int64_t quantile(std::vector<std::int64_t>& values, std::size_t percent) {
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(values.size() * percent / 100);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

void run_slice(Server& server, std::int64_t slice_ns) {
  Slice slice = server.load(slice_ns);
  auto& latencies = slice.latencies_ns;
  const auto p50 = quantile(latencies, 50);
  const auto p99 = quantile(latencies, 99);
  std::printf("%s %zu %ld %ld %ld %ld %ld %ld\n", server.name().c_str(), latencies.size(), slice.cpu_ns,
              slice.wall_ns, p50, p99, slice.longest_gap_ns, slice.load_cpu_ns);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: slice_load CONNECTIONS SLICE_MS SECONDS NAME:PID:PORT...\n");
    return 2;
  }
  const std::int64_t slice_ns = std::atol(argv[2]) * 1'000'000;
  const std::int64_t end_ns = now_ns() + std::atol(argv[3]) * 1'000'000'000;
  std::vector<Server> servers;
  for (int i = 4; i < argc; ++i) servers.emplace_back(argv[i], std::strtoul(argv[1], nullptr, 10));
  std::mt19937 random(std::random_device{}());
  while (now_ns() < end_ns) {
    std::shuffle(servers.begin() + 1, servers.end(), random);
    for (std::size_t i = 1; i < servers.size(); ++i) {
      run_slice(servers.front(), slice_ns);
      run_slice(servers[i], slice_ns);
    }
    if (servers.size() == 1) run_slice(servers.front(), slice_ns);
  }
  run_slice(servers.front(), slice_ns);
}
