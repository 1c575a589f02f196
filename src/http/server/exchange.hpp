// SPDX-License-Identifier: Apache-2.0
#pragma once

// One request and its response, from a complete head to the last byte sent: what stands behind the handler's
// Request and Response. Lives in the connection's fiber, for the time of the exchange.

#include "base/clock.hpp"
#include "http/protocol/body_encoder.hpp"
#include "http/server/block.hpp"
#include "http/server/drain.hpp"

#include <weft/detail/peer_scope_core.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/http/server.hpp>
#include <weft/net/stream.hpp>

#include <string>
#include <string_view>
#include <system_error>

namespace weft::http::server {

class Routes;

/// What remains to be done with the connection after an exchange.
enum class AfterExchange {
  kNextRequest,  ///< the message was read to its end, the response was sent
  kClose,        ///< close; nothing is left to be said, or can be
  kLinger,       ///< close, but let the client read the response first: it may still be sending
};

/// What a handler did (exchange_mistakes.cpp) that no response can be made of, or not the one it wanted.
enum class Mistake : std::uint8_t {
  kNone,
  kStatusAfterWrite,
  kBodyAfterWrite,
  kWriteAfterBody,
  kStatus,       ///< not a final one
  kContentType,  ///< no header value, or longer than there is room
  kBodyTooLong,  ///< more than its Content-Length
  kBodyTooShort,
  kBodyNotAnnounced,  ///< whole, and not of its Content-Length
  kBodyForbidden,     ///< by the status
};

std::string_view text_of(Mistake mistake) noexcept;

class Exchange {
 public:
  /// `drain`: whether a further request is wanted; looked at when the response is sent.
  /// `client`: the scope of handlers.
  Exchange(net::Stream& stream, Block& block, const ServerLimits& limits, const Drain& drain,
           detail::PeerScopeCore& client) noexcept;

  /// Runs the handler for the request whose head is complete, and sends the response.
  AfterExchange run(const Routes& routes);

  /// When the response, or its last piece, was ready to be sent: what idleness counts from.
  std::int64_t sent_ns() const noexcept { return now_ns_; }
  /// The response, if nothing of it was sent yet: left to the connection, which knows whether it will have to
  /// wait for the next request. Lies in the block; empty unless run() returned kNextRequest.
  std::string_view unsent() const noexcept { return unsent_; }

  // -- Request
  // -----------------------------------------------------------------------------------------------
  Result<std::size_t> read_body(std::span<std::byte> buffer);
  Result<std::string> read_whole_body(std::uint64_t size_max);
  const Drain& drain() const noexcept { return drain_; }
  Result<net::SocketAddress> peer_address() const { return stream_.peer_socket_address(); }
  std::string peer_name() const { return stream_.peer_name(); }

  // -- Response
  // ----------------------------------------------------------------------------------------------
  void set_status(Status status);
  Status status() const noexcept { return block_.encoder.status(); }
  Result<void> add_header(std::string_view name, std::string_view value);
  Result<void> set_header(std::string_view name, std::string_view value);
  void set_body(std::string_view body, std::string_view content_type);
  void set_body(std::string&& body, std::string_view content_type);
  Result<void> write(std::string_view piece);
  void close_connection() noexcept { block_.encoder.close_connection(); }

 private:
  void call_handler(const Routes& routes);
  Result<std::size_t> read_piece(std::span<std::byte> buffer);
  void set_content_type(std::string_view content_type);
  void set_content_type_slow(std::string_view content_type);
  [[gnu::cold]] void note(Mistake mistake) noexcept;
  [[gnu::cold]] void report(const Routes& routes, std::string_view what,
                            std::string_view outcome) const noexcept;
  [[gnu::cold]] AfterExchange report_unsent(const Routes& routes, const std::error_code& why) const noexcept;
  [[gnu::cold]] void report_exception(const Routes& routes) noexcept;
  [[gnu::cold]] void answer_instead(const Routes& routes);
  [[gnu::cold]] void answer_error(Status status);
  AfterExchange finish(const Routes& routes);
  AfterExchange finish_whole(const Routes& routes);
  [[gnu::cold]] Result<protocol::EncodedResponse> finish_contradiction(const Routes& routes);
  AfterExchange finish_stream(const Routes& routes);
  /// What remains to be done when the response is sent.
  AfterExchange after_response() { return goes_on() ? AfterExchange::kNextRequest : after_response_slow(); }
  bool goes_on() const noexcept {
    return !broken_ && block_.encoder.keep_alive() && block_.reader.finished();
  }
  AfterExchange after_response_slow();
  bool drain_body();
  bool will_not_drain() const noexcept;
  void decide_keep_alive() noexcept;
  void send_continue();
  Result<void> receive_body(Deadline deadline);
  Deadline begin_body_read() noexcept { return limits_.begin_body_read(block_.pace, coarse_now_ns()); }
  std::error_code fail_body(std::error_code error, Deadline deadline) noexcept;
  void answer_unless_answered(const protocol::Refusal& refusal) noexcept;
  bool send(std::string_view text) {
    const io::Progress sent = stream_.write_all_until(std::as_bytes(std::span(text)), write_deadline());
    return sent || send_rest(text, sent);
  }
  [[gnu::noinline]] bool send_both(std::string_view first, std::string_view second);
  [[gnu::noinline]] bool send_rest(std::string_view text, const io::Progress& sent);
  bool noted(const io::Progress& sent) noexcept;
  io::Progress send_on(std::span<std::span<const std::byte>> buffers);
  Deadline write_deadline() noexcept { return deadline_in(now_ns_, limits_.write_ns); }
  std::string_view date_line() noexcept { return block_.date.line(now_ns_); }

  net::Stream& stream_;
  Block& block_;
  const ServerLimits& limits_;
  const Drain& drain_;
  detail::PeerScopeCore& client_;
  std::int64_t now_ns_ = 0;  // coarse; read before something is sent

  std::string_view unsent_;
  std::string_view body_;  // in the block or in owned_body_
  std::string owned_body_;
  protocol::BodyEncoder body_encoder_;
  Result<void> body_outcome_;  // why the request's body cannot be read any further
  // What the client is told, if it can still be told, in place of what the handler has prepared: because of
  // the request's body, or of a mistake or an exception of the handler. Status::ok: nothing.
  Status answer_as_ = Status::ok;
  const char* answer_reason_ = nullptr;  // of a body that was refused
  Mistake mistake_ = Mistake::kNone;     // the first
  bool handler_runs_ = true;
  bool has_content_type_ = false;
  bool streaming_ = false;  // the head of the response was sent
  bool broken_ = false;     // the response could not be sent: only closing is left
  bool continued_ = false;  // the client may send its body
};

}  // namespace weft::http::server
