// SPDX-License-Identifier: Apache-2.0
#include "net/sockaddr.hpp"

#include <cstring>
#include <netinet/in.h>

namespace weft::net {
namespace {

sys::RawAddress to_raw_v4(const SocketAddress& address) noexcept {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(address.port());
  std::memcpy(&raw.sin_addr, address.ip().bytes().data(), sizeof(raw.sin_addr));
  return sys::RawAddress(raw);
}

sys::RawAddress to_raw_v6(const SocketAddress& address) noexcept {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(address.port());
  raw.sin6_scope_id = address.ip().scope_id();
  std::memcpy(&raw.sin6_addr, address.ip().bytes().data(), sizeof(raw.sin6_addr));
  return sys::RawAddress(raw);
}

SocketAddress from_raw_v4(const sockaddr_in& raw) noexcept {
  IpAddress::V4Bytes bytes;
  std::memcpy(bytes.data(), &raw.sin_addr, bytes.size());
  return {IpAddress::v4(bytes), ntohs(raw.sin_port)};
}

SocketAddress from_raw_v6(const sockaddr_in6& raw) noexcept {
  IpAddress::V6Bytes bytes;
  std::memcpy(bytes.data(), &raw.sin6_addr, bytes.size());
  return {IpAddress::v6(bytes, raw.sin6_scope_id), ntohs(raw.sin6_port)};
}

}  // namespace

sys::RawAddress to_raw(const SocketAddress& address) noexcept {
  return address.ip().is_v4() ? to_raw_v4(address) : to_raw_v6(address);
}

Result<SocketAddress> from_raw(const sys::RawAddress& raw) noexcept {
  if (raw.family() == AF_INET && raw.size() >= sizeof(sockaddr_in)) return from_raw_v4(raw.as<sockaddr_in>());
  if (raw.family() == AF_INET6 && raw.size() >= sizeof(sockaddr_in6))
    return from_raw_v6(raw.as<sockaddr_in6>());
  return Errc::invalid_address;
}

}  // namespace weft::net
