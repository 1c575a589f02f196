// SPDX-License-Identifier: Apache-2.0
// The course of an exchange, and the request's half of it. The response's half is exchange_response.cpp.
#include "http/server/exchange.hpp"

#include "http/server/routes.hpp"
#include "http/server/whole_body.hpp"

#include <weft/this_fiber.hpp>

#include <array>
#include <cstring>
#include <cxxabi.h>

namespace weft::http::server {

using protocol::BodyPiece;
using protocol::BodyStatus;

namespace {

constexpr protocol::Refusal kBodyTooSlow{
    Status::request_timeout,
    "the request's body took longer than body_timeout, body_rate_min or body_total_timeout"};
constexpr protocol::Refusal kBodyCutOff = protocol::bad_request("the request ends within its body");

class InScope {
 public:
  explicit InScope(detail::PeerScopeCore& scope) noexcept : scope_(scope) { scope_.enter(); }
  ~InScope() { scope_.leave(); }
  InScope(const InScope&) = delete;
  InScope& operator=(const InScope&) = delete;

 private:
  detail::PeerScopeCore& scope_;
};

}  // namespace

Exchange::Exchange(net::Stream& stream, Block& block, const ServerLimits& limits, const Drain& drain,
                   detail::PeerScopeCore& client) noexcept
    : stream_(stream), block_(block), limits_(limits), drain_(drain), client_(client) {
  const RequestHead& head = block.reader.head();
  block.encoder.begin({head.method, head.version, head.keep_alive});
}

AfterExchange Exchange::run(const Routes& routes) {
  call_handler(routes);
  handler_runs_ = false;
  if (answer_as_ != Status::ok) [[unlikely]]
    answer_instead(routes);
  return finish(routes);
}

// Whatever a handler throws ends its exchange, and nothing else; but for the forced unwinding of a thread
// that is cancelled, which nobody may stop.
void Exchange::call_handler(const Routes& routes) {
  const RequestHead& head = block_.reader.head();
  const Request request(*this, head, block_.parameters);
  Response response(*this);
  // Behind a body that is on its way, the end of what the client sends is part of it: see read_body(). It may
  // have been the end of a request before this one, if the client has sent them together.
  const bool has_body = !block_.reader.finished();
  if (has_body) [[unlikely]]
    client_.renew();
  const InScope in_scope(client_);
  if (has_body) [[unlikely]] {
    client_.change(PeerEnd::kReset);
    block_.pace = {};
  }
  try {
    routes.answer(head, block_.parameters, request, response);
  } catch (const abi::__forced_unwind&) {
    throw;
  } catch (...) {
    report_exception(routes);
  }
}

// -- the request's body

Result<std::size_t> Exchange::read_body(std::span<std::byte> buffer) {
  const Result<std::size_t> n = read_piece(buffer);
  if (block_.reader.finished()) client_.change_back();
  return n;
}

Result<std::size_t> Exchange::read_piece(std::span<std::byte> buffer) {
  if (buffer.empty()) [[unlikely]]
    return 0;
  if (!body_outcome_) return body_outcome_.error();
  protocol::RequestReader& reader = block_.reader;
  // Also if the client has gone since, and the handler was cancelled: the body is complete.
  if (reader.finished()) return Errc::end_of_file;
  // Thousands of chunks may be in the block already, and their reader never wait.
  if (reader.has_input()) {
    if (const Result<void> go_on = checkpoint(); !go_on) return fail_body(go_on.error(), Deadline::never());
  }
  for (;;) {
    if (reader.finished()) return Errc::end_of_file;
    send_continue();
    const BodyPiece piece = reader.pull_body(buffer.size());
    switch (piece.status) {
      case BodyStatus::kData:
        std::memcpy(buffer.data(), piece.data.data(), piece.data.size());
        return piece.data.size();
      case BodyStatus::kEnd: return Errc::end_of_file;
      case BodyStatus::kRefused:
        answer_unless_answered(reader.refusal());
        body_outcome_ = reader.refusal().status == Status::bad_request ? Errc::malformed_message
                                                                       : Errc::message_too_large;
        return body_outcome_.error();
      case BodyStatus::kNeedInput: break;
    }
    if (const std::uint64_t direct = reader.direct_size(); direct >= buffer.size()) {
      // A large body goes straight to its reader, without passing through the block.
      const Deadline deadline = begin_body_read();
      const Result<std::size_t> n = stream_.read_some_until(buffer, deadline);
      if (!n) return fail_body(n.error(), deadline);
      block_.pace.received(*n, coarse_now_ns());
      reader.received_directly(*n);
      return *n;
    }
    if (Result<void> received = receive_body(begin_body_read()); !received) return received.error();
  }
}

Result<std::string> Exchange::read_whole_body(std::uint64_t size_max) {
  if (body_outcome_ && block_.reader.fixed_left() > size_max) return Errc::message_too_large;
  const bool fixed = block_.reader.head().body == BodyFraming::kFixed;
  WholeBody body(fixed ? block_.reader.fixed_left() : size_max);
  for (;;) {
    std::array<std::byte, 1> beyond;  // where the end is all that may come
    const Result<std::size_t> n = read_body(body.full() ? beyond : body.room());
    if (!n && n.error() == make_error_code(Errc::end_of_file)) return body.take();
    if (!n) return n.error();
    if (body.full()) return Errc::message_too_large;
    body.received(*n);
  }
}

Result<void> Exchange::receive_body(Deadline deadline) {
  const std::span<char> free = block_.reader.free_space();
  const Result<std::size_t> n = stream_.read_some_until(std::as_writable_bytes(free), deadline);
  if (!n) return fail_body(n.error(), deadline);
  block_.pace.received(*n, coarse_now_ns());
  block_.reader.received(*n);
  return {};
}

// A read with `deadline` has failed. A time limit or a cancel of the handler's own is for the handler to
// answer.
std::error_code Exchange::fail_body(std::error_code error, Deadline deadline) noexcept {
  if (error == Errc::timed_out && deadline.passed()) answer_unless_answered(kBodyTooSlow);
  // The end of what the client sends is not the end of the body. It may still listen.
  if (error == make_error_code(Errc::end_of_file)) {
    error = Errc::malformed_message;
    answer_unless_answered(kBodyCutOff);
  }
  // The server stops: what the handler makes of a body that was cancelled is nobody's answer.
  if (error == make_error_code(Errc::cancelled) && drain_.begun()) broken_ = true;
  body_outcome_ = error;
  return error;
}

void Exchange::answer_unless_answered(const protocol::Refusal& refusal) noexcept {
  if (answer_as_ != Status::ok) return;
  answer_as_ = refusal.status;
  answer_reason_ = refusal.reason;
}

// Not into a response that has begun.
void Exchange::send_continue() {
  if (continued_ || streaming_ || !block_.reader.head().expects_continue) return;
  continued_ = true;
  if (block_.reader.has_input()) return;  // it did not wait
  now_ns_ = coarse_now_ns();
  if (!send(protocol::kContinue)) broken_ = true;
}

// A body that is too long to be read for nothing, or that the client was never told to send.
bool Exchange::will_not_drain() const noexcept {
  const protocol::RequestReader& reader = block_.reader;
  if (reader.finished()) return false;
  if (!body_outcome_ || (reader.head().expects_continue && !continued_)) return true;
  // A handler that streams may still read the rest.
  return !handler_runs_ && reader.fixed_left() > limits_.limits.unread_body_size_max;
}

// The last word before the head of the response is written.
void Exchange::decide_keep_alive() noexcept {
  if (drain_.begun() || will_not_drain()) block_.encoder.close_connection();
}

// Reads what the handler left of the body, so that the next request can be found; all of it has the time of
// one read, as nobody waits for it. False: the connection is to close.
bool Exchange::drain_body() {
  protocol::RequestReader& reader = block_.reader;
  if (reader.finished()) [[likely]]
    return true;
  const Deadline deadline = begin_body_read();
  for (std::uint64_t drained = 0; !reader.finished();) {
    if (!checkpoint()) return false;
    const BodyPiece piece = reader.pull_body(Block::kInputSize);
    drained += piece.data.size();
    if (piece.status == BodyStatus::kRefused || drained > limits_.limits.unread_body_size_max) return false;
    if (piece.status == BodyStatus::kNeedInput && !receive_body(deadline)) return false;
  }
  return true;
}

AfterExchange Exchange::after_response_slow() {
  if (broken_) return AfterExchange::kClose;
  // Also of a client that said that this is its last request: it may send a stray line.
  if (!block_.encoder.keep_alive()) return AfterExchange::kLinger;
  return drain_body() ? AfterExchange::kNextRequest : AfterExchange::kLinger;
}

}  // namespace weft::http::server
