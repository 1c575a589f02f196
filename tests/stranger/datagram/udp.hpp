// SPDX-License-Identifier: Apache-2.0
#pragma once

// Short forms for the tests of datagrams. In fibers.

#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace stranger {

inline std::error_code system_error(int number) { return {number, std::system_category()}; }

/// The index of the loopback interface: the first of every network.
inline std::uint32_t loopback() { return 1; }

inline weft::net::UdpSocket udp(const char* at = "127.0.0.1:0", const weft::net::UdpOptions& options = {}) {
  return weft::net::UdpSocket::bind(at, options).value();
}

/// A datagram as text, and what is known of it.
struct Letter {
  std::string text;
  weft::net::ReceivedDatagram info;
};

inline Letter next(weft::net::UdpSocket& socket, std::size_t room = 2048) {
  std::string text(room, '\0');
  const weft::net::ReceivedDatagram info = socket.receive_from(text).value();
  text.resize(info.size);
  return {text, info};
}

inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace stranger
