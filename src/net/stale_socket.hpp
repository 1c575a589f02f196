// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/unix_address.hpp>

namespace weft::net {

/// Removes the file of a socket of that type (SOCK_STREAM, SOCK_DGRAM) that no process has any more. Any
/// other file stays.
void remove_stale_socket(const UnixAddress& address, int type) noexcept;

}  // namespace weft::net
