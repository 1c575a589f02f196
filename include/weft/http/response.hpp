// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/http/status.hpp>
#include <weft/result.hpp>

#include <string>
#include <string_view>

namespace weft::http {

namespace server {
class Exchange;
}

/// The response to a request, made by its handler. It has a status and headers, and either one body (text(),
/// body()) that is sent when the handler returns, or a streamed body (write()). A handler that does nothing
/// sends 200 with an empty body.
///
/// Mistakes: a call that its documentation calls a mistake ends the handler's exchange, and nothing else. The
/// server writes the mistake and the route to standard error. If nothing was sent yet, the client gets 500,
/// whatever the handler does later. Otherwise the connection is closed, so that the client sees an incomplete
/// response. Calls after a mistake, and after the client has gone, do nothing.
///
/// Thread safety: only the handler's fiber uses it.
class Response {
 public:
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  /// Sets the status, 200 to 599; the default is 200. Mistakes: other numbers, and calls after write().
  Response& status(Status status);
  Response& status(int code) { return status(code >= 0 && code <= 999 ? Status(code) : Status{}); }
  Status status() const noexcept;

  /// Adds a header line. `Content-Length` announces the length of a streamed body. `Connection: close` closes
  /// the connection after the response. The library frames the body itself, so it refuses
  /// `Transfer-Encoding`.
  ///
  /// Errors: Errc::malformed_message if the name is not a token, or the name or value has a line break or
  /// another control character (so that no header can be injected); Errc::message_too_large beyond
  /// Limits::response_head_size_max; Errc::closed after write().
  Result<void> header(std::string_view name, std::string_view value);
  /// The same, but replaces all lines with that name. If it fails, they stay.
  Result<void> set_header(std::string_view name, std::string_view value);

  /// Sets the whole body. The bytes are copied, or moved from a string that is passed as an rvalue. The last
  /// call counts. If the status has no content (204, 205, 304), the body is not sent, and the server writes a
  /// message. Mistakes: a content type that is not a header value or does not fit, a size that differs from
  /// the `Content-Length` that was set, and calls after write().
  void body(std::string_view body, std::string_view content_type);
  void body(std::string&& body, std::string_view content_type);
  void body(const char* body, std::string_view content_type) {
    this->body(std::string_view(body), content_type);
  }
  /// Sets a body of type text/plain.
  void text(std::string_view body) { this->body(body, "text/plain"); }
  void text(std::string&& body) { this->body(std::move(body), "text/plain"); }
  void text(const char* body) { text(std::string_view(body)); }

  /// Sends a part of a body whose total size need not be known. The body is chunked; for HTTP/1.0 the close
  /// of the connection ends it. The first call sends the status and the headers. Suspends while the client
  /// reads more slowly. In a response to HEAD, and with a status without content, the bytes are dropped.
  ///
  /// Errors: errors of the connection; Errc::timed_out if the client takes nothing for Limits::write_timeout;
  /// Errc::message_too_large beyond the announced Content-Length. After these the connection is closed when
  /// the handler returns. Errc::closed after an earlier error, or if the client is to get an error response
  /// for a mistake or for its request's body.
  ///
  /// Mistakes: more or fewer bytes than the announced Content-Length, and calls after text() or body() with a
  /// body that is not empty, because that body would be lost.
  Result<void> write(ConstBuffer piece);

  /// Closes the connection after this response.
  void close_connection() noexcept;

 private:
  friend class server::Exchange;
  explicit Response(server::Exchange& exchange) noexcept : exchange_(exchange) {}

  server::Exchange& exchange_;
};

}  // namespace weft::http
