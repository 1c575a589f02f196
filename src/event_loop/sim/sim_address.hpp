// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/raw_address.hpp"

#include <weft/result.hpp>

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace weft {

/// An IP address and port of a simulated network, or the name of a Unix socket in it. A value type.
struct SimAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> ip{};  ///< of IPv4 the first four
  std::uint16_t port = 0;
  bool local = false;  ///< of Unix; the rest is not used then
  std::string name;    ///< a path, an abstract name behind a zero byte, or nothing

  /// EAFNOSUPPORT for what is neither of IP nor of Unix, EINVAL for one that is cut off.
  static Result<SimAddress> from_raw(const sys::RawAddress& raw) noexcept;
  sys::RawAddress to_raw() const noexcept;

  bool is_any() const noexcept { return !local && ip == std::array<std::uint8_t, 16>{}; }
  bool is_multicast() const noexcept { return !local && (v6 ? ip[0] == 0xff : ip[0] >> 4 == 14); }
  /// 255.255.255.255.
  bool is_broadcast() const noexcept;
  /// What connecting to the wildcard address means: this host.
  SimAddress or_loopback() const noexcept;
  /// The IPv6 form of an IPv4 address, as a listener of both families sees it; others as they are.
  SimAddress mapped() const noexcept;
  /// The IPv4 address of an IPv4-mapped one; others as they are.
  SimAddress unmapped() const noexcept;

  SimAddress with_port(std::uint16_t other) const noexcept {
    SimAddress address = *this;
    address.port = other;
    return address;
  }

  /// "127.0.0.1:80", "[::1]:80", "/run/socket", "@abstract", "unnamed".
  std::string to_string() const;

  friend auto operator<=>(const SimAddress&, const SimAddress&) noexcept = default;
};

}  // namespace weft
