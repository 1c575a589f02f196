// SPDX-License-Identifier: Apache-2.0
#pragma once

// What weft demands of a request head beyond llhttp's strict mode.
//
// llhttp reports names, values and the target, and hides the bytes between them: folded lines, a bare LF,
// doubled spaces, other protocols' request lines. The check walks the raw head once more and accounts for
// every byte (law H1 of docs/design/http-protocol.md); on the way it decides framing, Host, Connection and
// Expect by itself, so that two independent readings have to agree before a body is trusted (law H2).

#include "http/protocol/host_memory.hpp"
#include "http/protocol/refusal.hpp"

#include <weft/http/request_head.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::http::protocol {

/// A head as llhttp saw it. All pointers are into [begin, end).
struct HeadText {
  const char* begin;  ///< the first byte, empty lines before the request line included
  const char* end;    ///< behind the empty line
  Header* headers;    ///< values untrimmed; `value_data` is null where llhttp reported none
  std::size_t header_count;
};

/// What llhttp concluded about the body.
struct FramingReport {
  bool chunked;
  bool has_content_length;
  std::uint64_t content_length;
};

/// Completes `head` (whose method and target are set) and trims the header values, or says what is wrong.
Refusal check_head(const HeadText& text, const FramingReport& report, HostMemory& host,
                   RequestHead& head) noexcept;

}  // namespace weft::http::protocol
