// SPDX-License-Identifier: Apache-2.0
#pragma once

// Loads a server in the same process as wrk does, by plain system calls of the calling thread: none of them
// is counted as the server's, and nothing is allocated while it asks.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <netinet/in.h>
#include <sched.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <vector>

namespace weft::http::test {

inline constexpr int kPatienceMs = 30'000;
inline constexpr int kConnections = 64;
inline constexpr int kWarmUp = 50;  // requests of a connection
inline constexpr std::string_view kRequest = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
inline constexpr std::string_view kBody = "Hello world!";

/// One connection.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = kPatienceMs / 1000, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    good_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~Client() { ::close(fd_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Once something went wrong, nothing more is done.
  void ask() {
    good_ = good_ && ::send(fd_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) == std::ssize(kRequest);
  }
  void expect_answer() { good_ = good_ && answered(); }
  bool good() const { return good_; }

  /// In `epoll`, by EPOLL_CTL_ADD or EPOLL_CTL_MOD.
  void wait_for(std::uint32_t events, int epoll, int operation = EPOLL_CTL_MOD) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = this;
    good_ = good_ && ::epoll_ctl(epoll, operation, fd_, &event) == 0;
  }

 private:
  bool answered() {
    std::size_t size = 0;
    while (!std::string_view(answer_.data(), size).ends_with(kBody)) {
      const ssize_t more = ::recv(fd_, answer_.data() + size, answer_.size() - size, 0);
      if (more <= 0) return false;
      size += static_cast<std::size_t>(more);
    }
    return std::string_view(answer_.data(), size).starts_with("HTTP/1.1 200 ");
  }

  int fd_;
  bool good_ = false;
  std::array<char, 1024> answer_;
};

/// Asks as wrk does: an answer that was read makes it wait for the socket to be writable, then it asks again.
class Load {
 public:
  explicit Load(std::uint16_t port) {
    for (int i = 0; i < kConnections; ++i) {
      clients_.push_back(std::make_unique<Client>(port));
      clients_.back()->wait_for(EPOLLIN, epoll_, EPOLL_CTL_ADD);
    }
    ask(kWarmUp);
  }
  ~Load() { ::close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// `times` on each connection, on average.
  void ask(int times) {
    for (const auto& client : clients_) client->ask();
    std::array<epoll_event, kConnections> ready;
    int left = kConnections * (times - 1);  // to be asked
    for (int open = kConnections; open > 0 && good();) {
      const int count = ::epoll_wait(epoll_, ready.data(), kConnections, kPatienceMs);
      stuck_ = count <= 0;
      for (int i = 0; i < count; ++i) {
        if (!go_on(ready[static_cast<std::size_t>(i)], left)) --open;
      }
    }
  }

  /// Whether all were answered.
  bool good() const {
    return !stuck_ && std::ranges::all_of(clients_, [](const auto& client) { return client->good(); });
  }

 private:
  /// False: that was its last answer.
  bool go_on(const epoll_event& event, int& left) const {
    Client& client = *static_cast<Client*>(event.data.ptr);
    if ((event.events & EPOLLIN) == 0) {
      client.ask();
      client.wait_for(EPOLLIN, epoll_);
      return true;
    }
    client.expect_answer();
    if (left-- <= 0) return false;
    client.wait_for(EPOLLIN | EPOLLOUT, epoll_);
    return true;
  }

  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  bool stuck_ = false;
  std::vector<std::unique_ptr<Client>> clients_;
};

/// The calling thread, and those it starts meanwhile, run on that CPU, if there is such a one: a server
/// beside its load on one CPU has fewer polls, and the kernel may move them at any time.
class OnCpu {
 public:
  explicit OnCpu(int number) {
    ::sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(number, &one);
    ::sched_setaffinity(0, sizeof(one), &one);
  }
  ~OnCpu() { ::sched_setaffinity(0, sizeof(before_), &before_); }
  OnCpu(const OnCpu&) = delete;
  OnCpu& operator=(const OnCpu&) = delete;

 private:
  cpu_set_t before_;
};

}  // namespace weft::http::test
