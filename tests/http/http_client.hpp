// SPDX-License-Identifier: Apache-2.0
#pragma once

// An HTTP client that hides nothing: it sends the bytes it is given and takes replies apart. For fibers, over
// sockets of the kernel or of a simulated world.

#include <weft/net/tcp_stream.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace weft::http::test {

struct Reply {
  int status = 0;  ///< 0: the connection ended before a whole reply was there
  std::string head;
  std::string body;
  bool whole = false;

  bool has(std::string_view line) const { return head.find(line) != head.npos; }
  bool closes() const { return has("Connection: close\r\n"); }
};

class Client {
 public:
  explicit Client(const net::SocketAddress& address) : stream_(net::TcpStream::connect(address).value()) {}

  net::TcpStream& stream() { return stream_; }

  void send(std::string_view bytes) { EXPECT_TRUE(stream_.write_all(bytes)); }
  /// For a server that may close before it has read everything.
  void send_if_open(std::string_view bytes) {
    [[maybe_unused]] const io::Progress sent = stream_.write_all(bytes);
  }
  void finish_sending() { EXPECT_TRUE(stream_.shutdown(net::ShutdownMode::kWrite)); }

  /// The next final or interim reply.
  Reply receive(bool head_only = false) {
    Reply reply;
    const std::size_t end = need("\r\n\r\n");
    if (end == std::string::npos) return reply;
    reply.head = take(end + 4);
    reply.status = std::stoi(reply.head.substr(9, 3));
    reply.whole = head_only || reply.status < 200 || receive_body(reply);
    return reply;
  }
  Reply get(std::string_view path) {
    send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    return receive();
  }

  /// Whether nothing more comes: the server has closed.
  bool at_end() { return buffer_.empty() && !fill(); }
  /// How reading ended.
  std::error_code error() const { return error_; }
  std::string receive_until_end() {
    while (fill()) {}
    return take(buffer_.size());
  }

 private:
  bool receive_body(Reply& reply) {
    if (reply.has("Transfer-Encoding: chunked\r\n")) return receive_chunks(reply.body);
    const std::size_t at = reply.head.find("Content-Length: ");
    if (at == std::string::npos) {
      if (reply.status != 204 && reply.status != 304) reply.body = receive_until_end();
      return true;
    }
    return receive_exactly(std::stoul(reply.head.substr(at + 16)), reply.body);
  }

  bool receive_chunks(std::string& body) {
    for (;;) {
      const std::size_t end = need("\r\n");
      if (end == std::string::npos) return false;
      const std::size_t size = std::stoul(take(end + 2), nullptr, 16);
      std::string line_end;
      if (!receive_exactly(size, body) || !receive_exactly(2, line_end) || line_end != "\r\n") return false;
      if (size == 0) return true;
    }
  }

  bool receive_exactly(std::size_t size, std::string& to) {
    while (buffer_.size() - at_ < size) {
      if (!fill()) return to += take(buffer_.size() - at_), false;
    }
    to += take(size);
    return true;
  }

  std::size_t need(std::string_view end_mark) {
    for (;;) {
      const std::size_t found = buffer_.find(end_mark, at_);
      if (found != std::string::npos) return found - at_;
      if (!fill()) return std::string::npos;
    }
  }

  std::string take(std::size_t size) {
    std::string taken = buffer_.substr(at_, size);
    at_ += taken.size();
    if (at_ == buffer_.size()) buffer_.clear(), at_ = 0;
    return taken;
  }

  bool fill() {
    std::array<char, 16 * 1024> bytes;
    const Result<std::size_t> n = stream_.read_some(std::as_writable_bytes(std::span(bytes)));
    if (n) buffer_.append(bytes.data(), *n);
    if (!n) error_ = n.error();
    return n.has_value();
  }

  net::TcpStream stream_;
  std::error_code error_;
  std::string buffer_;
  std::size_t at_ = 0;
};

}  // namespace weft::http::test
