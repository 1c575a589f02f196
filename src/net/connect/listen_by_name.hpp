// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/address.hpp>
#include <weft/result.hpp>

#include <string_view>
#include <vector>

namespace weft::net {

/// Where to listen for "host:service", IPv4 addresses first. Suspends if the host is a name.
Result<std::vector<SocketAddress>> addresses_to_listen_at(std::string_view text);

}  // namespace weft::net
