// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/raw_address.hpp"

#include <weft/net/address.hpp>

#include <netinet/in.h>

namespace weft::net {

/// The kernel's form of an address: a `sockaddr_in` or `sockaddr_in6`.
sys::RawAddress to_raw(const SocketAddress& address) noexcept;

/// A `sockaddr_in` or `sockaddr_in6` in the room of the greater one, and its size: what messages carry.
socklen_t write_sockaddr(const SocketAddress& address, sockaddr_in6& room) noexcept;
/// The default address if there is none of IP in it.
SocketAddress read_sockaddr(const sockaddr_in6& room, socklen_t size) noexcept;

/// The address that the kernel gave. Errc::invalid_address if it is not of IP (AF_UNIX, a short one).
Result<SocketAddress> from_raw(const sys::RawAddress& raw) noexcept;

}  // namespace weft::net
