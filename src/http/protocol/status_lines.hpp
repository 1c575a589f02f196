// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/http/status.hpp>

#include <string_view>

namespace weft::http::protocol {

/// "HTTP/1.1 404 Not Found\r\n", from a table; empty for a code without a name.
std::string_view status_line(Status status) noexcept;

/// The longest of them, and at least "HTTP/1.1 599 \r\n".
inline constexpr std::size_t kStatusLineSizeMax = 52;

}  // namespace weft::http::protocol
