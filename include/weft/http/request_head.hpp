// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/http/headers.hpp>
#include <weft/http/method.hpp>
#include <weft/http/query.hpp>

#include <cstdint>
#include <string_view>

namespace weft::http {

enum class Version : std::uint8_t { http_1_0, http_1_1 };

/// How the end of a received body is known (RFC 9112, 6.3).
enum class BodyFraming : std::uint8_t { kNone, kFixed, kChunked };

/// The request line and headers of an accepted request. Everything is checked, nothing is copied.
///
/// Its views point into the connection's read buffer and are valid until the handler returns. The request has
/// a known method, version 1.0 or 1.1, a valid target and, in 1.1, exactly one `Host`.
/// `docs/design/http-protocol.md` lists the requests that are refused before.
struct RequestHead {
  std::string_view target;     ///< as sent: "/users/7?tab=posts", "http://host/x" or "*"
  std::string_view path;       ///< encoded path, "/users/7"; "*" for `OPTIONS *`; never empty
  std::string_view query;      ///< encoded, without "?"
  std::string_view authority;  ///< "host:port", from an absolute target or else from `Host`; may be empty
  Headers headers;
  std::uint64_t content_length = 0;  ///< the size of a fixed body
  Method method = Method::get;
  Version version = Version::http_1_1;
  BodyFraming body = BodyFraming::kNone;
  bool keep_alive = false;        ///< the client wants the connection to stay
  bool expects_continue = false;  ///< the client waits for 100 before it sends the body
};

}  // namespace weft::http
