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

/// A request, as its handler sees it. Valid until the handler returns, and so is every view it gives.
/// Everything in the head has been checked (docs/design/http-protocol.md); the body is still on its way and
/// is read on demand.
///
/// Thread safety: the handler's fiber only.
class Request {
 public:
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  Method method() const noexcept { return head_.method; }
  Version version() const noexcept { return head_.version; }
  /// As sent: "/users/7?tab=posts".
  std::string_view target() const noexcept { return head_.target; }
  /// The path, percent-encoded as sent: "/users/7".
  std::string_view path() const noexcept { return head_.path; }
  Query query() const noexcept { return Query(head_.query); }
  /// "host:port" that the client asked for.
  std::string_view authority() const noexcept { return head_.authority; }
  /// The address of the connection's peer: the client, or a proxy in front of it. One system call each time.
  /// ENOTCONN if the connection is gone.
  Result<net::SocketAddress> peer_address() const;
  const Headers& headers() const noexcept { return head_.headers; }
  /// The value of the first header of that name; nothing if there is none.
  std::optional<std::string_view> header(std::string_view name) const noexcept {
    return head_.headers.find(name);
  }
  /// What `:id` stands for in the route's pattern, percent-decoded; nothing if there is no such part.
  std::optional<std::string> parameter(std::string_view name) const { return parameters_.get(name); }
  const PathParameters& parameters() const noexcept { return parameters_; }

  /// Whether the request has a body, and its size if that is known before.
  bool has_body() const noexcept { return head_.body != BodyFraming::none; }
  std::optional<std::uint64_t> content_length() const noexcept {
    if (head_.body == BodyFraming::chunked) return std::nullopt;
    return head_.content_length;
  }

  /// Reads the next part of the body, at least one byte: how many. Errc::end_of_file after the last. Sends
  /// "100 Continue" first if the client waits for it. Suspends; the client is read from only as fast as this
  /// is called. Errors: Errc::message_too_large and malformed_message (the client is answered 413, 431 or 400
  /// unless the response has begun), Errc::timed_out (408), Errc::cancelled, or what the connection failed
  /// with. They stay: the body is lost. A client that ends sending
  /// before its body is whole is Errc::malformed_message (400). 0 for an empty `buffer`.
  Result<std::size_t> read_some(MutableBuffer buffer) const;

  /// Reads the rest of the body into a string, at most `size_max` bytes: more is Errc::message_too_large, at
  /// once where the length was announced. Other errors are those of read_some(). The memory grows with what
  /// has arrived: 16 KiB before the first byte, from then on at most twice the bytes received.
  Result<std::string> read_all(std::uint64_t size_max = 1024 * 1024) const;

  /// Whether the server drains: Server::stop() was called. A handler that goes on for long ends soon then, as
  /// it is cancelled at the drain's deadline. The connection ends with the response in any case.
  bool draining() const noexcept;
  /// Asks to stop when the server begins to drain, and at once if it does already. What waits in a scope of
  /// it is woken; outside of the scope the response can still be ended.
  ///
  ///     while (response.write(next_event()))                    // an event stream
  ///       if (weft::CancelScope scope(request.drain_token()); !weft::sleep(1s)) break;
  ///
  /// The token may outlive the request, and be used by any thread.
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
