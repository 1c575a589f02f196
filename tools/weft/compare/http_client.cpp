// SPDX-License-Identifier: Apache-2.0
#include "http_client.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace weft::tool::compare {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

std::size_t content_length(const std::string& head) {
  const std::string name = "Content-Length: ";
  const std::size_t place = head.find(name);
  if (place == head.npos) throw std::runtime_error("an answer without a length: " + head);
  return std::stoul(head.substr(place + name.size()));
}

}  // namespace

HttpClient::HttpClient(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (fd_ < 0) fail("socket");
  const timeval limit{10, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
  const int error = errno;
  close(fd_);
  errno = error;
  fail("cannot connect to the server");
}

HttpClient::HttpClient(HttpClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

HttpClient::~HttpClient() {
  if (fd_ >= 0) close(fd_);
}

std::string HttpClient::get(const std::string& path) {
  send_request(path);
  std::string answer;
  std::size_t end = std::string::npos;
  while ((end = answer.find("\r\n\r\n")) == answer.npos) answer = receive_until(answer, answer.size() + 1);
  const std::string head = answer.substr(0, end);
  if (head.rfind("HTTP/1.1 200", 0) != 0) throw std::runtime_error(path + " was answered with " + head);
  const std::size_t size = end + 4 + content_length(head);
  return receive_until(answer, size).substr(end + 4);
}

void HttpClient::send_request(const std::string& path) const {
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
    fail("cannot send to the server");
}

std::string HttpClient::receive_until(const std::string& so_far, std::size_t size) const {
  std::string received = so_far;
  char buffer[4096];
  while (received.size() < size) {
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0) fail("the server does not answer");
    if (n == 0) throw std::runtime_error("the server closed the connection");
    received.append(buffer, static_cast<std::size_t>(n));
  }
  return received;
}

}  // namespace weft::tool::compare
