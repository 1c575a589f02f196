// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/address.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>

// The texts of addresses; IpAddress and SocketAddress put them together.

namespace weft::net {

std::optional<IpAddress::V4Bytes> parse_v4(std::string_view text) noexcept;
/// With a scope, if any.
std::optional<IpAddress> parse_v6(std::string_view text);
std::optional<std::uint16_t> parse_port(std::string_view text) noexcept;

/// REQUIRES: `bytes` are 4.
void append_v4(std::string& text, std::span<const std::uint8_t> bytes);
void append_v6(std::string& text, const IpAddress::V6Bytes& bytes);

}  // namespace weft::net
