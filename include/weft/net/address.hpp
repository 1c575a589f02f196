// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/result.hpp>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace weft::net {

/// An IPv4 or IPv6 address. A value type of 24 bytes; the default is `0.0.0.0`.
///
/// An IPv4 address and its IPv4-mapped IPv6 form are different values; `unmapped()` turns the second into the
/// first. IPv4 addresses order before IPv6 addresses; within a family the bytes decide. No function suspends.
class IpAddress {
 public:
  using V4Bytes = std::array<std::uint8_t, 4>;
  using V6Bytes = std::array<std::uint8_t, 16>;

  constexpr IpAddress() noexcept = default;

  static constexpr IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) noexcept {
    return v4(V4Bytes{a, b, c, d});
  }
  static constexpr IpAddress v4(const V4Bytes& bytes) noexcept {
    IpAddress address;
    for (std::size_t i = 0; i < bytes.size(); ++i) address.bytes_[i] = bytes[i];
    return address;
  }
  /// `scope_id` is the index of the interface that a link-local address belongs to; 0 means none.
  static constexpr IpAddress v6(const V6Bytes& bytes, std::uint32_t scope_id = 0) noexcept {
    IpAddress address;
    address.family_ = Family::kV6;
    address.scope_id_ = scope_id;
    address.bytes_ = bytes;
    return address;
  }

  static constexpr IpAddress v4_any() noexcept { return {}; }
  static constexpr IpAddress v4_loopback() noexcept { return v4(127, 0, 0, 1); }
  static constexpr IpAddress v6_any() noexcept { return v6(V6Bytes{}); }
  static constexpr IpAddress v6_loopback() noexcept {
    return v6(V6Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  }

  /// Parses "192.0.2.1" (four decimal numbers without leading zeros, which some programs read as octal) and
  /// the forms of RFC 4291 ("2001:db8::1", "::ffff:192.0.2.1"). A scope is an interface's index or name
  /// ("fe80::1%2", "fe80::1%eth0"); parse() asks the kernel for the index of a name. Brackets and white space
  /// are errors. Errors: `Errc::invalid_address`.
  static Result<IpAddress> parse(std::string_view text);

  constexpr bool is_v4() const noexcept { return family_ == Family::kV4; }
  constexpr bool is_v6() const noexcept { return family_ == Family::kV6; }
  /// 4 or 16 bytes in network order, part of this object.
  std::span<const std::uint8_t> bytes() const noexcept {
    return std::span(bytes_).first(is_v4() ? std::size_t{4} : std::size_t{16});
  }
  constexpr std::uint32_t scope_id() const noexcept { return scope_id_; }

  /// `0.0.0.0` or `::`.
  bool is_any() const noexcept;
  /// `127.0.0.0/8` or `::1`; also when IPv4-mapped.
  bool is_loopback() const noexcept;
  bool is_v4_mapped() const noexcept;
  /// The IPv4 address inside an IPv4-mapped address; any other address unchanged. A listener of both families
  /// sees its IPv4 peers at mapped addresses.
  IpAddress unmapped() const noexcept;

  /// The text form of RFC 5952. `parse` turns it back into the same value. A scope is written as a number,
  /// because a name can be given to another interface later.
  std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) noexcept = default;

 private:
  enum class Family : std::uint8_t { kV4, kV6 };

  Family family_ = Family::kV4;
  V6Bytes bytes_{};  // IPv4 uses the first four; the others stay 0, so that == needs no cases
  std::uint32_t scope_id_ = 0;
};

/// The address of a TCP or UDP socket: an IP address and a port. A value type; the default is `0.0.0.0:0`.
///
/// It holds IP addresses only. The address of a Unix socket is a different type, because the two share almost
/// no operations.
class SocketAddress {
 public:
  constexpr SocketAddress() noexcept = default;
  constexpr SocketAddress(const IpAddress& ip, std::uint16_t port) noexcept : ip_(ip), port_(port) {}

  /// Parses "192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%eth0]:80", and ":80", which means "[::]:80". A
  /// listener at "[::]" accepts connections of both families, or of the only family that the system has. The
  /// port is required: 1 to 5 decimal digits, at most 65535. Host names such as "localhost:80" are errors:
  /// net::connect() and net::resolve() take them. Errors: `Errc::invalid_address`.
  static Result<SocketAddress> parse(std::string_view text);

  constexpr const IpAddress& ip() const noexcept { return ip_; }
  constexpr std::uint16_t port() const noexcept { return port_; }
  constexpr SocketAddress with_port(std::uint16_t port) const noexcept { return {ip_, port}; }

  bool is_any() const noexcept { return ip_.is_any(); }
  bool is_loopback() const noexcept { return ip_.is_loopback(); }

  /// "192.0.2.1:80" or "[2001:db8::1]:80". `parse` turns it back into the same value.
  std::string to_string() const;

  friend constexpr auto operator<=>(const SocketAddress&, const SocketAddress&) noexcept = default;

 private:
  IpAddress ip_;
  std::uint16_t port_ = 0;
};

}  // namespace weft::net

template <>
struct std::hash<weft::net::IpAddress> {
  std::size_t operator()(const weft::net::IpAddress& address) const noexcept;
};

template <>
struct std::hash<weft::net::SocketAddress> {
  std::size_t operator()(const weft::net::SocketAddress& address) const noexcept;
};
