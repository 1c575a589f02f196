// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/raw_address.hpp"

#include <weft/net/address.hpp>

namespace weft::net {

/// The kernel's form of an address: a `sockaddr_in` or `sockaddr_in6`.
sys::RawAddress to_raw(const SocketAddress& address) noexcept;

/// The address that the kernel gave. Errc::invalid_address if it is not of IP (AF_UNIX, a short one).
Result<SocketAddress> from_raw(const sys::RawAddress& raw) noexcept;

}  // namespace weft::net
