// SPDX-License-Identifier: Apache-2.0
#pragma once

// A name server on 127.0.0.1, UDP and TCP, on a thread of its own. Nothing of weft is used.

#include "support/dns_message.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace weft::test {

class DnsServer {
 public:
  explicit DnsServer(DnsZone zone) : zone_(std::move(zone)) { start(); }
  ~DnsServer() { stop(); }
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  /// "127.0.0.1:12345"
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::uint16_t port() const { return port_; }

  /// At the same port as before, if there was one.
  void start() {
    for (int tries = 0; !open(); ++tries) {
      close_all();
      if (tries == 100) throw std::runtime_error("no port for the name server");
    }
    stop_ = eventfd(0, EFD_CLOEXEC);
    thread_ = std::thread([this] { serve(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    static_cast<void>(!write(stop_, &one, sizeof one));
    thread_.join();
    close_all();
  }

  void set(const std::string& name, DnsRecord record) {
    const std::scoped_lock lock(mutex_);
    zone_[name] = std::move(record);
  }
  /// Answers all that was held for the name, and holds it no longer.
  void release(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    zone_[name].hold = false;
    for (auto& [question, peer] : held_) {
      if (question.name == name) answer_locked(question, peer);
    }
    std::erase_if(held_, [&](const auto& each) { return each.first.name == name; });
  }
  /// How many questions for the name have come.
  std::size_t questions(const std::string& name) const {
    const std::scoped_lock lock(mutex_);
    const auto found = asked_.find(name);
    return found == asked_.end() ? 0 : found->second;
  }
  std::size_t over_tcp() const {
    const std::scoped_lock lock(mutex_);
    return over_tcp_;
  }
  std::size_t with_edns() const {
    const std::scoped_lock lock(mutex_);
    return with_edns_;
  }

 private:
  bool open() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port_);
    udp_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    tcp_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    const int room = 4 << 20;
    setsockopt(tcp_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(udp_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(udp_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) return false;
    socklen_t size = sizeof at;
    getsockname(udp_, reinterpret_cast<sockaddr*>(&at), &size);
    if (bind(tcp_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || listen(tcp_, 100) != 0) return false;
    port_ = ntohs(at.sin_port);
    return true;
  }

  void close_all() {
    for (int* const fd : {&udp_, &tcp_, &stop_}) {
      if (*fd >= 0) close(std::exchange(*fd, -1));
    }
  }

  void serve() {
    for (;;) {
      std::array<pollfd, 3> files{{{stop_, POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}}};
      if (poll(files.data(), files.size(), -1) < 0) continue;
      if (files[0].revents != 0) return;
      if (files[1].revents != 0) serve_udp();
      if (files[2].revents != 0) serve_tcp();
    }
  }

  void serve_udp() {
    std::array<char, 2048> buffer{};
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const ssize_t got =
        recvfrom(udp_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&peer), &size);
    if (got <= 0) return;
    const auto question = read_question({buffer.data(), static_cast<std::size_t>(got)});
    if (!question) return;
    const std::scoped_lock lock(mutex_);
    count_locked(*question);
    const auto found = zone_.find(question->name);
    if (found != zone_.end() && found->second.hold) {
      held_.emplace_back(*question, peer);
    } else {
      answer_locked(*question, peer);
    }
  }

  void answer_locked(const DnsQuestion& question, const sockaddr_in& peer) {
    for (const std::string& reply : replies_to(question, zone_, false))
      sendto(udp_, reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&peer), sizeof peer);
  }

  /// One connection at a time, until its client closes it.
  void serve_tcp() {
    const int fd = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    while (const auto question = read_question(receive(fd))) {
      const std::scoped_lock lock(mutex_);
      count_locked(*question);
      ++over_tcp_;
      for (const std::string& reply : replies_to(*question, zone_, true)) {
        std::string framed;
        put16(framed, reply.size());
        framed += reply;
        if (send(fd, framed.data(), framed.size(), MSG_NOSIGNAL) < 0) break;
      }
    }
    close(fd);
  }

  std::string receive(int fd) const {
    const std::string head = receive(fd, 2);
    return head.size() == 2 ? receive(fd, get16(head, 0)) : std::string();
  }
  std::string receive(int fd, std::size_t size) const {
    std::string bytes;
    while (bytes.size() < size) {
      std::array<pollfd, 2> files{{{stop_, POLLIN, 0}, {fd, POLLIN, 0}}};
      poll(files.data(), files.size(), -1);
      if (files[0].revents != 0) return {};
      std::array<char, 512> buffer{};
      const ssize_t got = recv(fd, buffer.data(), std::min(size - bytes.size(), buffer.size()), 0);
      if (got <= 0) return {};
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return bytes;
  }

  void count_locked(const DnsQuestion& question) {
    ++asked_[question.name];
    if (question.has_edns) ++with_edns_;
  }

  std::uint16_t port_ = 0;
  int udp_ = -1;
  int tcp_ = -1;
  int stop_ = -1;
  std::thread thread_;
  mutable std::mutex mutex_;
  DnsZone zone_;
  std::map<std::string, std::size_t> asked_;
  std::vector<std::pair<DnsQuestion, sockaddr_in>> held_;
  std::size_t over_tcp_ = 0;
  std::size_t with_edns_ = 0;
};

}  // namespace weft::test
