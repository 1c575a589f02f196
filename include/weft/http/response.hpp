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

/// The answer to a request, made by its handler: status and headers, and then either one body (text(),
/// body()), sent when the handler returns, or a streamed one (write()). A handler that does nothing sends 200
/// with an empty body.
///
/// A mistake of the handler ends its exchange and nothing else. It is said on standard error, with the route.
/// If nothing was sent yet the client is answered with 500, whatever the handler still does; else the
/// connection is closed, so that the client sees that the response is not whole. Calls after a mistake, and
/// after the client has left, do nothing.
///
/// Thread safety: the handler's fiber only.
class Response {
 public:
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  /// 200 to 599; the default is 200. A mistake: another number, or after write().
  Response& status(Status status);
  Response& status(int code) { return status(code >= 0 && code <= 999 ? Status(code) : Status{}); }
  Status status() const noexcept;

  /// Adds a header line. `Content-Length` announces the length of a streamed body; `Connection: close` closes
  /// after the response; the framing is the library's, so `Transfer-Encoding` is refused.
  /// Errc::malformed_message: the name is no token, or name or value hold a line break or another control
  /// character (nothing is injected). Errc::message_too_large: more than fits the connection's buffer.
  /// Errc::closed: after write().
  Result<void> header(std::string_view name, std::string_view value);
  /// The same, in the place of all lines of that name. They stay if it fails.
  Result<void> set_header(std::string_view name, std::string_view value);

  /// The whole body; the bytes are copied, or taken over from a string that is moved in. The last call
  /// counts. With a status that has no content (204, 205, 304) it is not sent, which is said. A mistake: a
  /// content type that is no header value or does not fit, a size that is not the `Content-Length` that was
  /// set, or after write().
  void body(std::string_view body, std::string_view content_type);
  void body(std::string&& body, std::string_view content_type);
  void body(const char* body, std::string_view content_type) {
    this->body(std::string_view(body), content_type);
  }
  /// A body of type text/plain.
  void text(std::string_view body) { this->body(body, "text/plain"); }
  void text(std::string&& body) { this->body(std::move(body), "text/plain"); }
  void text(const char* body) { text(std::string_view(body)); }

  /// Sends a part of a body whose size need not be known: chunked, or closed at the end for HTTP/1.0. The
  /// first call sends status and headers. Suspends while the client is slower. Errors: what the connection
  /// failed with, Errc::timed_out if the client takes nothing for Limits::write_timeout,
  /// Errc::message_too_large beyond an announced Content-Length (a mistake, as is less than announced):
  /// the connection is then closed after the handler returns. Errc::closed after an error, or if the client
  /// is to be told of a mistake, or of what was wrong with its request's body. A mistake also: after text()
  /// or body() gave a body that is not empty, which would be lost. What is written in answer to HEAD, or with
  /// a status that has no content, is dropped.
  Result<void> write(ConstBuffer piece);

  /// The connection ends with this response.
  void close_connection() noexcept;

 private:
  friend class server::Exchange;
  explicit Response(server::Exchange& exchange) noexcept : exchange_(exchange) {}

  server::Exchange& exchange_;
};

}  // namespace weft::http
