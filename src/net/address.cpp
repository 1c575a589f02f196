// SPDX-License-Identifier: Apache-2.0
#include <weft/net/address.hpp>

#include "net/address_text.hpp"

#include <algorithm>
#include <cstring>

namespace weft::net {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// splitmix64's mixer: every bit of the input changes every bit of the result with probability 1/2.
std::uint64_t mixed(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint64_t hash_of(const IpAddress& address) noexcept {
  std::uint64_t words[2] = {0, 0};
  std::memcpy(words, address.bytes().data(), address.bytes().size());
  const std::uint64_t low = mixed(words[0] + address.scope_id());
  return mixed(low ^ (words[1] + (address.is_v6() ? 0x9e3779b97f4a7c15u : 0)));
}

detail::Failure not_an_address(std::string_view text) noexcept {
  return detail::failure_about(Errc::invalid_address, "reading the address", text);
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  const std::optional<IpAddress::V4Bytes> bytes = parse_v4(text);
  if (!bytes) return std::nullopt;
  return IpAddress::v4(*bytes);
}

std::optional<SocketAddress> parse_socket_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint16_t> port = parse_port(text.substr(colon + 1));
  if (!port) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.empty()) return SocketAddress(IpAddress::v6_any(), *port);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::optional<IpAddress> ip = parse_ip(host);
  if (!ip || ip->is_v6() != bracketed) return std::nullopt;
  return SocketAddress(*ip, *port);
}

}  // namespace

bool IpAddress::is_any() const noexcept {
  return std::all_of(bytes_.begin(), bytes_.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return bytes_[0] == 127;
  return bytes_ == v6_loopback().bytes_ || (is_v4_mapped() && unmapped().is_loopback());
}

bool IpAddress::is_v4_mapped() const noexcept {
  return is_v6() && std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin());
}

IpAddress IpAddress::unmapped() const noexcept {
  if (!is_v4_mapped()) return *this;
  return v4(bytes_[12], bytes_[13], bytes_[14], bytes_[15]);
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::optional<IpAddress> address = parse_ip(text);
  if (!address) return not_an_address(text);
  return *address;
}

std::string IpAddress::to_string() const {
  std::string text;
  if (is_v4()) {
    append_v4(text, bytes());
  } else {
    append_v6(text, bytes_);
  }
  if (scope_id_ != 0) text.append("%").append(std::to_string(scope_id_));
  return text;
}

Result<SocketAddress> SocketAddress::parse(std::string_view text) {
  const std::optional<SocketAddress> address = parse_socket_address(text);
  if (!address) return not_an_address(text);
  return *address;
}

std::string SocketAddress::to_string() const {
  const std::string port = ":" + std::to_string(port_);
  if (ip_.is_v4()) return ip_.to_string() + port;
  return "[" + ip_.to_string() + "]" + port;
}

}  // namespace weft::net

std::size_t std::hash<weft::net::IpAddress>::operator()(const weft::net::IpAddress& address) const noexcept {
  return weft::net::hash_of(address);
}

std::size_t std::hash<weft::net::SocketAddress>::operator()(
    const weft::net::SocketAddress& address) const noexcept {
  return weft::net::mixed(weft::net::hash_of(address.ip()) + address.port());
}
