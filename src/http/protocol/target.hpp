// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/protocol/refusal.hpp"

#include <weft/http/request_head.hpp>

#include <string_view>

namespace weft::http::protocol {

/// Splits `head.target` into path, query and, if it is absolute, authority (RFC 9112, 3.2).
Refusal split_target(RequestHead& head) noexcept;

/// True for `host`, `host:port`, `[v6]` and `[v6]:port`, and for the empty text.
bool is_authority(std::string_view text) noexcept;

}  // namespace weft::http::protocol
