// SPDX-License-Identifier: Apache-2.0
// What is to be gained by responses that leave together, without a framework: bare_epoll with the responses
// of a poll sent after all its requests were read, each by itself or several with one io_uring_enter
// (docs/design/write-batch.md).
//
//   bare_batches PORT [AT_ONCE = 16]     0: each by a send

#include "bare.hpp"

#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

constexpr unsigned kEntries = 1024;

class Server {
 public:
  Server(std::uint16_t port, unsigned at_once) : at_once_(at_once), listener_(listen_at(port)) {
    if (at_once_ != 0) check(io_uring_queue_init(kEntries, &ring_, IORING_SETUP_SINGLE_ISSUER), "io_uring");
    watch(listener_, EPOLLIN | EPOLLET);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 512> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) serve(events[static_cast<std::size_t>(i)].data.fd);
      for (const int fd : to_answer_) send(fd, kResponse.data(), kResponse.size(), MSG_NOSIGNAL);
      to_answer_.clear();
      submit();
    }
  }

 private:
  void watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    check(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }

  void accept_all() {
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      const int on = 1;
      check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "TCP_NODELAY");
      watch(fd, EPOLLIN | EPOLLRDHUP | EPOLLET);
    }
  }

  // A request that comes in two pieces is never answered: wrk's and the load's do not.
  void serve(int fd) {
    if (fd == listener_) return accept_all();
    for (;;) {
      const ssize_t size = recv(fd, input_.data(), input_.size(), 0);
      if (size < 0) return;
      if (size == 0) return void(close(fd));
      const std::string_view input(input_.data(), static_cast<std::size_t>(size));
      for (auto at = input.find(kEnd); at != input.npos; at = input.find(kEnd, at + kEnd.size())) answer(fd);
      if (input.size() < input_.size()) return;
    }
  }

  void answer(int fd) {
    if (at_once_ == 0) return to_answer_.push_back(fd);
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
    io_uring_prep_send(entry, fd, kResponse.data(), kResponse.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (++queued_ >= at_once_) submit();
  }

  void submit() {
    if (queued_ == 0) return;
    queued_ = 0;
    io_uring_submit(&ring_);
    io_uring_cq_advance(&ring_, io_uring_cq_ready(&ring_));
  }

  const unsigned at_once_;
  const int listener_;
  const int epoll_ = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  io_uring ring_{};
  unsigned queued_ = 0;
  std::vector<int> to_answer_;
  std::array<char, 2048> input_;
};

}  // namespace

int main(int argc, char** argv) {
  const long port = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0;
  const long at_once = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 16;
  if (port <= 0 || port > 65535 || at_once < 0 || at_once > static_cast<long>(kEntries)) {
    std::fprintf(stderr, "usage: bare_batches PORT [AT_ONCE, 0 to %u]\n", kEntries);
    return 2;
  }
  Server(static_cast<std::uint16_t>(port), static_cast<unsigned>(at_once)).run();
}
