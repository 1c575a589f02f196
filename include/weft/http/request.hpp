// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/cancel_token.hpp>
#include <weft/http/headers.hpp>
#include <weft/http/method.hpp>
#include <weft/http/path_parameters.hpp>
#include <weft/http/query.hpp>
#include <weft/http/request_head.hpp>
#include <weft/net/address.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::http {

namespace server {
class Exchange;
}

/// A request, as its handler sees it. The request and its views are valid until the handler returns. The head
/// has been checked completely (docs/design/http-protocol.md). The body may still be arriving and is read on
/// demand.
///
/// Thread safety: only the handler's fiber uses it.
class Request {
 public:
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  Method method() const noexcept { return head_.method; }
  Version version() const noexcept { return head_.version; }
  /// The target as sent: "/users/7?tab=posts".
  std::string_view target() const noexcept { return head_.target; }
  /// The path, percent-encoded as sent: "/users/7".
  std::string_view path() const noexcept { return head_.path; }
  Query query() const noexcept { return Query(head_.query); }
  /// The "host:port" that the client has requested.
  std::string_view authority() const noexcept { return head_.authority; }
  /// The address of the connection's peer: the client, or a proxy in front of it. Each call is one system
  /// call. ENOTCONN if the connection is gone; Errc::unsupported if the peer has no IP address.
  Result<net::SocketAddress> peer_address() const;
  /// The same as text, for streams of every kind (net::Stream::peer_name()).
  std::string peer_name() const;
  const Headers& headers() const noexcept { return head_.headers; }
  /// The value of the first header with that name; `nullopt` if there is none.
  std::optional<std::string_view> header(std::string_view name) const noexcept {
    return head_.headers.find(name);
  }
  /// The value of a named part of the route's pattern (`:id`), percent-decoded; `nullopt` if there is no such
  /// part.
  std::optional<std::string> parameter(std::string_view name) const { return parameters_.get(name); }
  const PathParameters& parameters() const noexcept { return parameters_; }

  /// Whether the request has a body, and its size if the head announces it.
  bool has_body() const noexcept { return head_.body != BodyFraming::kNone; }
  std::optional<std::uint64_t> content_length() const noexcept {
    if (head_.body == BodyFraming::kChunked) return std::nullopt;
    return head_.content_length;
  }

  /// Reads the next part of the body, at least one byte, and returns the number of bytes. Returns 0 for an
  /// empty `buffer`. Sends "100 Continue" first if the client waits for it. Suspends. The server reads from
  /// the client only as fast as this is called.
  ///
  /// Errors: Errc::end_of_file after the last byte; Errc::message_too_large (413 or 431) and
  /// Errc::malformed_message (400), also if the client ends sending before the body is whole; Errc::timed_out
  /// (408); Errc::cancelled; and errors of the connection. The server sends the response in parentheses
  /// unless the handler's response has begun. Errors are permanent: the rest of the body is lost.
  Result<std::size_t> read_some(MutableBuffer buffer) const;

  /// Reads the rest of the body into a string of at most `size_max` bytes. A larger body is
  /// Errc::message_too_large, before any read if the length was announced. Other errors are those of
  /// read_some(). The memory grows with the received bytes: 16 KiB before the first byte, later at most twice
  /// the bytes received.
  Result<std::string> read_all(std::uint64_t size_max = 1024 * 1024) const;

  /// Whether the server drains: Server::stop() was called. A handler that runs for long should then end soon,
  /// because it is cancelled at the deadline of the drain. The connection ends with this response in any
  /// case.
  bool draining() const noexcept;
  /// A token that asks to stop when the server begins to drain, at once if it drains already. It ends the
  /// waits in a scope that is bound to it; outside of the scope the handler can still finish the response.
  ///
  ///     while (response.write(next_event()))                    // an event stream
  ///       if (weft::CancelScope scope(request.drain_token()); !weft::sleep(1s)) break;
  ///
  /// The token may outlive the request. Any thread may use it.
  CancelToken drain_token() const noexcept;

 private:
  friend class server::Exchange;
  Request(server::Exchange& exchange, const RequestHead& head, const PathParameters& parameters) noexcept
      : exchange_(exchange), head_(head), parameters_(parameters) {}

  server::Exchange& exchange_;
  const RequestHead& head_;
  const PathParameters& parameters_;
};

}  // namespace weft::http
