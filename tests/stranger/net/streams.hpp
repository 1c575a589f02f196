// SPDX-License-Identifier: Apache-2.0
#pragma once

// Short forms for the tests of net. In fibers.

#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <span>
#include <string>
#include <string_view>

namespace stranger {

/// Both ends of a connection.
struct Streams {
  weft::net::TcpListener listener = weft::net::TcpListener::bind("127.0.0.1:0").value();
  weft::net::TcpStream client = weft::net::TcpStream::connect(listener.local_address().value()).value();
  weft::net::TcpStream server = listener.accept().value();
};

inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::span<std::byte> room(std::string& text) {
  return std::as_writable_bytes(std::span(text.data(), text.size()));
}

/// `size` bytes, or what comes before the end.
inline std::string read_all(weft::net::TcpStream& stream, std::size_t size) {
  std::string text(size, '\0');
  text.resize(stream.read_exact(room(text)).bytes());
  return text;
}

/// Writes until there is no room.
inline void fill(weft::net::TcpStream& stream) {
  const std::string block(1 << 16, 'f');
  // Twice: a deadline that has passed may end a write that need not wait.
  for (int failures = 0; failures < 2;)
    failures = stream.write_some_until(bytes(block), weft::Deadline::after_ns(0)) ? 0 : failures + 1;
}

}  // namespace stranger
