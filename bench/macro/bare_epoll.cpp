// SPDX-License-Identifier: Apache-2.0
// The limit: the least that can answer HTTP. Edge-triggered epoll, a listener (SO_REUSEPORT) for each thread,
// no framework, no parser: a request is whatever ends in an empty line. A short read counts as drained, so a
// request costs one recv, one send and its share of an epoll_wait.
//
//   bare_epoll PORT [THREADS = 1] [--to-eagain | --spin]
//
// --to-eagain reads on until EAGAIN instead. --spin polls in a row for 50 us before it sleeps: the most that
// spinning can give to a server, at any price.

#include "bare.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

namespace {

struct Connection {
  int fd;
  std::size_t size = 0;
  std::array<char, 2048> input;
};

using Events = std::array<epoll_event, 512>;

constexpr std::chrono::microseconds kSpin{50};

bool to_eagain = false;
bool spin = false;

void watch(int epoll, int fd, std::uint32_t events, void* data) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = data;
  check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void accept_all(int epoll, int listener) {
  for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    const int on = 1;
    check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), "TCP_NODELAY");
    auto* const connection = new Connection{.fd = fd, .input = {}};
    watch(epoll, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, connection);
  }
}

/// Answers every whole request in the input and keeps the rest. False: the connection is over.
bool answer(Connection& connection) {
  std::string_view input(connection.input.data(), connection.size);
  for (auto end = input.find(kEnd); end != input.npos; end = input.find(kEnd)) {
    const ssize_t sent = send(connection.fd, kResponse.data(), kResponse.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(kResponse.size())) return false;
    input.remove_prefix(end + kEnd.size());
  }
  if (!input.empty()) input.copy(connection.input.data(), input.size());
  connection.size = input.size();
  return connection.size < connection.input.size();
}

/// Serves until the socket is drained. False: the connection is over.
bool serve(Connection& connection, std::uint32_t events) {
  const bool short_read_is_drained = !to_eagain && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0;
  for (;;) {
    const std::size_t room = connection.input.size() - connection.size;
    const ssize_t received = recv(connection.fd, connection.input.data() + connection.size, room, 0);
    if (received < 0) return errno == EAGAIN;
    if (received == 0) return false;
    connection.size += static_cast<std::size_t>(received);
    if (!answer(connection)) return false;
    if (short_read_is_drained && static_cast<std::size_t>(received) < room) return true;
  }
}

void handle(int epoll, int listener, const epoll_event& event) {
  auto* const connection = static_cast<Connection*>(event.data.ptr);
  if (connection == nullptr) return accept_all(epoll, listener);
  if (serve(*connection, event.events)) return;
  close(connection->fd);
  delete connection;
}

int poll(int epoll, Events& events, int timeout_ms) {
  return epoll_wait(epoll, events.data(), static_cast<int>(events.size()), timeout_ms);
}

int poll_in_a_row(int epoll, Events& events) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  int count = 0;
  do {
    count = poll(epoll, events, 0);
  } while (count == 0 && std::chrono::steady_clock::now() < end);
  return count;
}

int wait(int epoll, Events& events) {
  const int count = spin ? poll_in_a_row(epoll, events) : 0;
  return count != 0 ? count : poll(epoll, events, -1);
}

[[noreturn]] void run(std::uint16_t port) {
  const int listener = listen_at(port);
  const int epoll = check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
  watch(epoll, listener, EPOLLIN | EPOLLET, nullptr);
  Events events;
  for (;;) {
    const int count = wait(epoll, events);
    for (int i = 0; i < count; ++i) handle(epoll, listener, events[static_cast<std::size_t>(i)]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const long port = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 0;
  if (port <= 0 || port > 65535) {
    std::fprintf(stderr, "usage: bare_epoll PORT [THREADS] [--to-eagain | --spin]\n");
    return 2;
  }
  const long threads = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 1;
  const std::string_view last = argv[argc - 1];
  to_eagain = last == "--to-eagain";
  spin = last == "--spin";
  std::vector<std::thread> others;
  for (long i = 1; i < threads; ++i) others.emplace_back(run, static_cast<std::uint16_t>(port));
  run(static_cast<std::uint16_t>(port));
}
