// SPDX-License-Identifier: Apache-2.0
#pragma once

// A client of bytes: what was sent, and all that came back until the server closed.

#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <string>
#include <string_view>

namespace stranger {

class RawClient {
 public:
  explicit RawClient(const weft::net::SocketAddress& address)
      : stream_(weft::net::TcpStream::connect(address).value()) {}

  weft::net::TcpStream& stream() { return stream_; }
  RawClient& send(std::string_view bytes) {
    EXPECT_TRUE(stream_.write_all(bytes));
    return *this;
  }
  /// Nothing more will be sent; replies are still read.
  RawClient& finish_sending() {
    EXPECT_TRUE(stream_.shutdown(weft::net::ShutdownMode::kWrite));
    return *this;
  }
  std::string read_to_end() {
    std::string all;
    std::array<char, 16 * 1024> part;
    while (auto n = stream_.read_some(std::as_writable_bytes(std::span(part)))) all.append(part.data(), *n);
    return all;
  }

 private:
  weft::net::TcpStream stream_;
};

/// What the server says to `request`, after which it closes.
inline std::string reply_to(const weft::net::SocketAddress& address, std::string_view request) {
  return RawClient(address).send(request).read_to_end();
}

/// "GET /path" and whether another request may follow.
inline std::string get(std::string_view path, std::string_view connection = "close") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nConnection: " + std::string(connection) +
         "\r\n\r\n";
}

inline int status_of(std::string_view reply) {
  return reply.starts_with("HTTP/1.1 ") ? std::stoi(std::string(reply.substr(9, 3))) : 0;
}
inline std::string body_of(std::string_view reply) {
  const std::size_t end = reply.find("\r\n\r\n");
  return end == reply.npos ? std::string() : std::string(reply.substr(end + 4));
}
inline bool has_line(std::string_view reply, std::string_view line) {
  return reply.find("\r\n" + std::string(line) + "\r\n") != reply.npos;
}
inline std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace stranger
