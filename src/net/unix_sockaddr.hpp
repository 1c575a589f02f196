// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/raw_address.hpp"

#include <weft/net/unix_address.hpp>

namespace weft::net {

/// The kernel's form: a `sockaddr_un` that ends with the name.
sys::RawAddress to_raw(const UnixAddress& address) noexcept;

/// The address that the kernel gave. Errc::invalid_address if it is not of Unix.
Result<UnixAddress> unix_from_raw(const sys::RawAddress& raw);

}  // namespace weft::net
