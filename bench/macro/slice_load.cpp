// SPDX-License-Identifier: Apache-2.0
// The load of `bench/compare.py slices`: holds connections to several servers at once and loads one of them
// at a time, for a slice of some ten milliseconds, so that what is compared ran within a fraction of a second
// of each other: a machine that drifts by 20 % in a minute drifts for all of them alike. The first server is
// the reference; its slices stand between those of the others, whose order is shuffled.
//
//   slice_load CONNECTIONS SLICE_MS SECONDS lean|wrk NAME:PID:PORT...
//
// A line for each slice: name, requests, CPU ns of the whole server process, wall ns, p50 and p99 in ns, the
// longest time in ns between two turns of this program (a slice in which the host took the CPU away shows
// there), and the CPU ns of this program: where they reach the wall's, no server could get more requests.
//
// lean reads all answers that a wait brought, then sends the next requests: bursts. wrk does as wrk does: who
// has its answer waits for the socket to be writable, then sends: two epoll_ctl a request, and a load that is
// slower.

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
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
constexpr int kStuckMs = 5000;

bool like_wrk = false;

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

struct Slice {
  std::vector<std::int64_t> latencies_ns{};
  std::int64_t cpu_ns = 0;
  std::int64_t wall_ns = 0;
  std::int64_t longest_gap_ns = 0;
  std::int64_t load_cpu_ns = 0;
};

int connect_to(const std::string& who, std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) fail(who, "cannot connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

/// A connection to a server, and what is done on it.
class Connection {
 public:
  Connection(const std::string& who, std::uint16_t port) : who_(who), fd_(connect_to(who, port)) {}

  /// In `epoll`, by EPOLL_CTL_ADD or EPOLL_CTL_MOD.
  void watch(int epoll, int operation, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = this;
    if (epoll_ctl(epoll, operation, fd_, &event) != 0) fail(who_, "epoll_ctl");
  }

  void send_request() {
    sent_ns_ = now_ns();
    if (send(fd_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) fail(who_, "cannot send");
  }

  void receive_answer(Slice& slice) const {
    std::array<char, 4096> answer;
    if (recv(fd_, answer.data(), answer.size(), 0) <= 0) fail(who_, "closed the connection");
    slice.latencies_ns.push_back(now_ns() - sent_ns_);
  }

 private:
  std::string who_;
  int fd_;
  std::int64_t sent_ns_ = 0;
};

Connection& connection_of(const epoll_event& event) { return *static_cast<Connection*>(event.data.ptr); }

/// The connections to one server, and what is made of their events.
class Connections {
 public:
  Connections(std::string who, std::uint16_t port, std::size_t count) : who_(std::move(who)) {
    for (std::size_t i = 0; i < count; ++i) connections_.emplace_back(who_, port);
    for (Connection& connection : connections_) connection.watch(epoll_, EPOLL_CTL_ADD, EPOLLIN);
  }

  /// Sends on until `end_ns`, then waits for what is under way.
  void run_until(std::int64_t end_ns, Slice& slice) {
    for (Connection& connection : connections_) connection.send_request();
    std::array<epoll_event, 1024> ready;
    std::int64_t last_ns = now_ns();
    for (live_ = connections_.size(); live_ > 0;) {
      const int count = epoll_wait(epoll_, ready.data(), static_cast<int>(ready.size()), kStuckMs);
      if (count <= 0) fail(who_, "does not answer");
      const std::int64_t turn_ns = now_ns();
      slice.longest_gap_ns = std::max(slice.longest_gap_ns, turn_ns - last_ns);
      last_ns = turn_ns;
      const std::span<epoll_event> events(ready.data(), static_cast<std::size_t>(count));
      like_wrk ? turn_like_wrk(events, turn_ns >= end_ns, slice) : turn(events, turn_ns >= end_ns, slice);
    }
  }

 private:
  void turn(std::span<epoll_event> events, bool last, Slice& slice) {
    for (const epoll_event& event : events) connection_of(event).receive_answer(slice);
    if (last) {
      live_ -= events.size();
    } else {
      for (const epoll_event& event : events) connection_of(event).send_request();
    }
  }

  void turn_like_wrk(std::span<epoll_event> events, bool last, Slice& slice) {
    for (const epoll_event& event : events) {
      Connection& connection = connection_of(event);
      if ((event.events & EPOLLIN) == 0) {
        connection.send_request();
        connection.watch(epoll_, EPOLL_CTL_MOD, EPOLLIN);
        continue;
      }
      connection.receive_answer(slice);
      if (last) {
        --live_;
      } else {
        connection.watch(epoll_, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
      }
    }
  }

  std::string who_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections_{};
  std::size_t live_ = 0;  // that will be answered
};

/// A process that is measured.
class Server {
 public:
  Server(std::string name, clockid_t clock, Connections connections)
      : name_(std::move(name)), clock_(clock), connections_(std::move(connections)) {}

  const std::string& name() const { return name_; }

  Slice load(std::int64_t slice_ns) {
    Slice slice;
    const std::int64_t cpu_ns = clock_ns(clock_);
    const std::int64_t load_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    const std::int64_t start_ns = now_ns();
    connections_.run_until(start_ns + slice_ns, slice);
    slice.wall_ns = now_ns() - start_ns;
    slice.load_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - load_cpu_ns;
    usleep(300);  // the server goes to sleep: what that takes is a part of its slice
    slice.cpu_ns = clock_ns(clock_) - cpu_ns;
    return slice;
  }

 private:
  std::string name_;
  clockid_t clock_;
  Connections connections_;
};

/// `spec`: NAME:PID:PORT.
Server server_of(const std::string& spec, std::size_t connections) {
  const auto pid = spec.find(':');
  const auto port = spec.rfind(':');
  if (pid == spec.npos || pid == port) fail(spec, "expected NAME:PID:PORT");
  const std::string name = spec.substr(0, pid);
  clockid_t clock{};
  if (clock_getcpuclockid(std::atoi(spec.c_str() + pid + 1), &clock) != 0) fail(name, "no such process");
  const auto number = static_cast<std::uint16_t>(std::atoi(spec.c_str() + port + 1));
  return {name, clock, Connections(name, number, connections)};
}

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
  if (argc < 6) {
    std::fprintf(stderr, "usage: slice_load CONNECTIONS SLICE_MS SECONDS lean|wrk NAME:PID:PORT...\n");
    return 2;
  }
  const std::int64_t slice_ns = std::atol(argv[2]) * 1'000'000;
  const std::int64_t end_ns = now_ns() + std::atol(argv[3]) * 1'000'000'000;
  like_wrk = std::string_view(argv[4]) == "wrk";
  std::vector<Server> servers;
  for (int i = 5; i < argc; ++i) servers.push_back(server_of(argv[i], std::strtoul(argv[1], nullptr, 10)));
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
