// SPDX-License-Identifier: Apache-2.0
#pragma once

// Short forms of the public TCP calls, for tests. All are called by fibers.

#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace weft::test {

inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

inline Result<std::string> read_text(net::TcpStream& stream, std::size_t size_max = 4096,
                                     Deadline deadline = {}) {
  std::string text(size_max, '\0');
  const auto size = stream.read_some_until(std::as_writable_bytes(std::span(text)), deadline);
  if (!size) return size.error();
  text.resize(*size);
  return text;
}

/// Both ends of a connection.
struct Streams {
  net::TcpStream client;
  net::TcpStream server;

  explicit Streams(std::string_view address = "127.0.0.1:0") {
    auto listener = net::TcpListener::bind(address).value();
    client = net::TcpStream::connect(listener.local_address().value()).value();
    server = listener.accept().value();
  }
};

/// Writes until it would have to wait: a deadline that has passed ends now and then a write that would not.
inline void fill(net::TcpStream& stream) {
  const std::string block(1 << 16, 'f');
  for (int failures = 0; failures < 2;)
    failures = stream.write_some_until(bytes(block), Deadline::after_ns(0)) ? 0 : failures + 1;
}

}  // namespace weft::test
