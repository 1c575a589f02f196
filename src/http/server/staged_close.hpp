// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/stream.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace weft::http::server {

/// The first two stages of a close (RFC 9112, 9.6): sending ends, and what the client still sends is read and
/// dropped, until it has closed, so that it can read what was sent to it. A close with unread input would be
/// a reset, which overtakes the rest of the response. For `timeout_ns` at most, and as long as the client
/// sends now and then, and not too much. `scratch` is overwritten. Suspends; a cancel ends it.
void end_sending_and_listen(net::Stream& stream, std::span<std::byte> scratch,
                            std::int64_t timeout_ns) noexcept;

}  // namespace weft::http::server
