// SPDX-License-Identifier: Apache-2.0
#pragma once

// The least that can answer HTTP, to count its polls: edge-triggered epoll in a thread of its own, no
// framework, no parser. (bench/macro/bare_epoll.cpp is the same as a program, to time it.)

#include "base/atomic.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace weft::http::test {

class BareServer {
 public:
  /// Answers each `request_size` bytes it receives.
  explicit BareServer(std::size_t request_size) : request_size_(request_size) {
    ::listen(listener_, 128);
    sockaddr_in address{};
    socklen_t size = sizeof(address);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    watch(listener_);
    thread_ = std::thread([this] { run(); });
  }
  ~BareServer() {
    ::shutdown(listener_, SHUT_RDWR);  // an edge of the listener: run() ends
    thread_.join();
    ::close(listener_);
    ::close(epoll_);
  }
  BareServer(const BareServer&) = delete;
  BareServer& operator=(const BareServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::uint64_t polls() const { return polls_.load(relaxed); }

 private:
  static constexpr std::string_view kResponse =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nHello world!";

  void watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      polls_.store(polls_.load(relaxed) + 1, relaxed);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd != listener_) {
          serve(event.data.fd);
        } else if ((event.events & EPOLLHUP) != 0) {
          return;
        } else {
          accept_all();
        }
      }
    }
  }

  void accept_all() const {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) watch(fd);
  }

  void serve(int fd) const {
    std::array<char, 2048> input;
    const ssize_t received = ::recv(fd, input.data(), input.size(), 0);
    if (received <= 0) {
      ::close(fd);
      return;
    }
    for (auto left = static_cast<std::size_t>(received); left >= request_size_; left -= request_size_)
      ::send(fd, kResponse.data(), kResponse.size(), MSG_NOSIGNAL);
  }

  std::size_t request_size_;
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
  Atomic<std::uint64_t> polls_{0};
  std::thread thread_;
};

}  // namespace weft::http::test
