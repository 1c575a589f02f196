// SPDX-License-Identifier: Apache-2.0
#pragma once

// The heads that most requests have, read in one pass: GET or HEAD, a path, HTTP/1.0 or 1.1, header lines,
// no body, all of it here already. Whatever else there may be is left to llhttp and check_head(), which also
// say what is wrong: this reader refuses nothing. A head that it takes is one that they accept, with the same
// outcome (law H6).

#include "http/protocol/host_memory.hpp"
#include "http/protocol/line_memory.hpp"

#include <weft/http/limits.hpp>
#include <weft/http/request_head.hpp>

#include <string_view>

namespace weft::http::protocol {

/// What one head leaves for the next.
struct HeadMemory {
  HostMemory host;
  LineMemory lines;
};

/// Reads the head at the front of `received`. Returns its end, `head` and `headers` filled; or null, and the
/// two are not to be looked at. `headers` has room for `limits.header_count_max`, and is the same each time
/// that `memory` is.
const char* read_plain_head(std::string_view received, const Limits& limits, Header* headers,
                            HeadMemory& memory, RequestHead& head) noexcept;

}  // namespace weft::http::protocol
