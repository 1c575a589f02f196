// SPDX-License-Identifier: Apache-2.0
#include "net/sockaddr.hpp"

#include <cstring>

namespace weft::net {
namespace {

sockaddr_in to_v4(const SocketAddress& address) noexcept {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(address.port());
  std::memcpy(&raw.sin_addr, address.ip().bytes().data(), sizeof(raw.sin_addr));
  return raw;
}

sockaddr_in6 to_v6(const SocketAddress& address) noexcept {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  raw.sin6_port = htons(address.port());
  raw.sin6_scope_id = address.ip().scope_id();
  std::memcpy(&raw.sin6_addr, address.ip().bytes().data(), sizeof(raw.sin6_addr));
  return raw;
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
  return address.ip().is_v4() ? sys::RawAddress(to_v4(address)) : sys::RawAddress(to_v6(address));
}

socklen_t write_sockaddr(const SocketAddress& address, sockaddr_in6& room) noexcept {
  if (address.ip().is_v6()) {
    room = to_v6(address);
    return sizeof(sockaddr_in6);
  }
  const sockaddr_in v4 = to_v4(address);
  std::memcpy(&room, &v4, sizeof(v4));
  return sizeof(sockaddr_in);
}

SocketAddress read_sockaddr(const sockaddr_in6& room, socklen_t size) noexcept {
  if (room.sin6_family == AF_INET6 && size >= sizeof(sockaddr_in6)) return from_raw_v6(room);
  if (room.sin6_family != AF_INET || size < sizeof(sockaddr_in)) return {};
  sockaddr_in v4;
  std::memcpy(&v4, &room, sizeof(v4));
  return from_raw_v4(v4);
}

Result<SocketAddress> from_raw(const sys::RawAddress& raw) noexcept {
  if (raw.family() == AF_INET && raw.size() >= sizeof(sockaddr_in)) return from_raw_v4(raw.as<sockaddr_in>());
  if (raw.family() == AF_INET6 && raw.size() >= sizeof(sockaddr_in6))
    return from_raw_v6(raw.as<sockaddr_in6>());
  return Errc::invalid_address;
}

}  // namespace weft::net
