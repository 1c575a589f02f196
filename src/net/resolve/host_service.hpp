// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/address.hpp>
#include <weft/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The texts of hosts and services. No function suspends.

namespace weft::net {

struct HostService {
  std::string_view host;  ///< without brackets
  std::string_view service;
};

/// "example.org:http", "[::1]:80", ":80" (no host). None: there is no ':', or one too many.
std::optional<HostService> split_host_service(std::string_view text) noexcept;

/// The numeric address, with or without brackets; or none, and then a name; or Errc::invalid_address.
struct Host {
  std::optional<IpAddress> address;
  std::string name;  ///< in lower case
};
Result<Host> parse_host(std::string_view text);

/// NameErrc::unknown_service. Reads /etc/services for names that it does not know by itself.
Result<std::uint16_t> parse_service(std::string_view text);

/// "localhost" and the names under it (RFC 6761).
bool is_localhost(std::string_view name) noexcept;

}  // namespace weft::net
