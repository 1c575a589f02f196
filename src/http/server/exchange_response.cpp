// SPDX-License-Identifier: Apache-2.0
// The response's half of an exchange.
#include "base/panic.hpp"
#include "http/server/exchange.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

namespace weft::http::server {
namespace {

// Takes what was sent off the front.
void drop_front(std::span<std::span<const std::byte>> buffers, std::size_t left) noexcept {
  for (std::span<const std::byte>& buffer : buffers) {
    const std::size_t size = std::min(left, buffer.size());
    buffer = buffer.subspan(size);
    left -= size;
  }
}

// After a write that stopped at its deadline. False: nothing was sent, or it failed.
bool drop_sent(std::span<std::span<const std::byte>> buffers, const io::Progress& sent) noexcept {
  if (sent.bytes() == 0 || sent.error() != make_error_code(Errc::timed_out)) return false;
  drop_front(buffers, sent.bytes());
  return true;
}

}  // namespace

void Exchange::set_status(Status status) {
  if (streaming_) [[unlikely]]
    return note(Mistake::kStatusAfterWrite);
  if (!block_.encoder.set_status(status)) [[unlikely]]
    note(Mistake::kStatus);
}

Result<void> Exchange::add_header(std::string_view name, std::string_view value) {
  if (streaming_) return Errc::closed;
  const Result<void> added = block_.encoder.add_header(name, value);
  if (added && equals_ignoring_case(name, "Content-Type")) has_content_type_ = true;
  return added;
}

Result<void> Exchange::set_header(std::string_view name, std::string_view value) {
  if (streaming_) return Errc::closed;
  const Result<void> set = block_.encoder.set_header(name, value);
  if (set && equals_ignoring_case(name, "Content-Type")) has_content_type_ = true;
  return set;
}

inline void Exchange::set_content_type(std::string_view content_type) {
  constexpr std::string_view kPlainText = "Content-Type: text/plain\r\n";
  const bool first = !std::exchange(has_content_type_, true);
  if (first && content_type == "text/plain" && block_.encoder.add_trusted_line(kPlainText)) return;
  set_content_type_slow(content_type);
}

void Exchange::set_content_type_slow(std::string_view content_type) {
  if (!block_.encoder.set_header("Content-Type", content_type)) note(Mistake::kContentType);
}

void Exchange::set_body(std::string_view body, std::string_view content_type) {
  if (streaming_) [[unlikely]]
    return note(Mistake::kBodyAfterWrite);
  if (body.size() > Block::kSmallBodySize) return set_body(std::string(body), content_type);
  protocol::copy_short(block_.small_body, body);
  body_ = {block_.small_body, body.size()};
  set_content_type(content_type);
}

void Exchange::set_body(std::string&& body, std::string_view content_type) {
  if (streaming_) [[unlikely]]
    return note(Mistake::kBodyAfterWrite);
  owned_body_ = std::move(body);
  body_ = owned_body_;
  set_content_type(content_type);
}

// Throws away what the handler has prepared, and says why. A connection that is to end still is.
void Exchange::answer_error(Status status) {
  const RequestHead& head = block_.reader.head();
  block_.encoder.begin({head.method, head.version, block_.encoder.keep_alive()});
  has_content_type_ = false;
  set_status(status);
  std::string text(reason_phrase(status));
  if (answer_reason_ != nullptr) text.append(": ").append(answer_reason_);
  set_body(std::move(text), "text/plain");
}

AfterExchange Exchange::finish(const Routes& routes) {
  if (broken_) return AfterExchange::kClose;
  now_ns_ = coarse_now_ns();
  decide_keep_alive();
  return streaming_ ? finish_stream(routes) : finish_whole(routes);
}

// The usual case: head and body in one write, which is the connection's if another request may follow.
AfterExchange Exchange::finish_whole(const Routes& routes) {
  Result<protocol::EncodedResponse> response = block_.encoder.finish(body_, date_line());
  if (!response) [[unlikely]]
    response = finish_contradiction(routes);
  if (!response) [[unlikely]]
    return report_unsent(routes, response.error());
  if (response->body.empty() && goes_on()) [[likely]] {
    unsent_ = response->head;
    return AfterExchange::kNextRequest;
  }
  const bool sent = response->body.empty() ? send(response->head) : send_both(response->head, response->body);
  return sent ? after_response() : report_unsent(routes, block_.unsent_because);
}

// The handler contradicts itself: a body where its status or its Content-Length forbids it.
Result<protocol::EncodedResponse> Exchange::finish_contradiction(const Routes& routes) {
  if (forbids_content(status())) {
    report(routes, text_of(Mistake::kBodyForbidden), "it is sent without");
    body_ = {};
  } else {
    note(Mistake::kBodyNotAnnounced);
    answer_instead(routes);
    decide_keep_alive();
  }
  return block_.encoder.finish(body_, date_line());
}

AfterExchange Exchange::finish_stream(const Routes& routes) {
  if (mistake_ != Mistake::kNone) report(routes, text_of(mistake_), "it is sent without");
  const Result<std::string_view> end = body_encoder_.finish();
  if (!end) {  // closing is how the client learns of it
    report(routes, text_of(Mistake::kBodyTooShort), "the response is cut off");
    return AfterExchange::kClose;
  }
  if (!end->empty() && !send(*end)) return report_unsent(routes, block_.unsent_because);
  return after_response();
}

Result<void> Exchange::write(std::string_view piece) {
  if (broken_ || answer_as_ != Status::ok) return Errc::closed;
  now_ns_ = coarse_now_ns();
  std::string_view head;
  if (!streaming_) {
    if (!body_.empty()) [[unlikely]]
      return note(Mistake::kWriteAfterBody), Errc::closed;
    decide_keep_alive();
    const Result<std::string_view> started = block_.encoder.start_stream(date_line());
    if (!started) return started.error();
    head = *started;
    streaming_ = true;
    body_encoder_ = protocol::BodyEncoder(block_.encoder.framing(), block_.encoder.length());
  }
  const Result<protocol::BodyFrame> frame = body_encoder_.frame(piece.size());
  if (!frame) {
    if (!head.empty()) streaming_ = false;  // nothing was sent yet
    note(Mistake::kBodyTooLong);
    return frame.error();
  }
  if (frame->drop && !piece.empty() && forbids_content(status())) mistake_ = Mistake::kBodyForbidden;
  std::array<std::span<const std::byte>, 4> buffers{
      std::as_bytes(std::span(head)), std::as_bytes(std::span(frame->prefix)),
      std::as_bytes(std::span(frame->drop ? std::string_view() : piece)),
      std::as_bytes(std::span(frame->suffix))};
  const io::Progress sent = send_on(buffers);
  if (sent) return {};
  broken_ = true;
  return sent.error();
}

bool Exchange::send_both(std::string_view first, std::string_view second) {
  std::array<std::span<const std::byte>, 2> buffers{std::as_bytes(std::span(first)),
                                                    std::as_bytes(std::span(second))};
  return noted(send_on(buffers));
}

bool Exchange::noted(const io::Progress& sent) noexcept {
  if (!sent) block_.unsent_because = sent.error();
  return sent.has_value();
}

bool Exchange::send_rest(std::string_view text, const io::Progress& sent) {
  std::array<std::span<const std::byte>, 1> buffer{std::as_bytes(std::span(text))};
  if (!drop_sent(buffer, sent)) return noted(sent);
  now_ns_ = coarse_now_ns();
  return noted(send_on(buffer));
}

// The time limit is for a client that takes nothing: whatever it took begins a new one. That the handler's
// scope has ended with its client is no reason to stop: one that has finished sending may still read, and of
// one that is gone the kernel says so.
io::Progress Exchange::send_on(std::span<std::span<const std::byte>> buffers) {
  const auto write = [&] { return stream_.write_all_until(buffers, write_deadline()); };
  for (bool in_scope = handler_runs_;;) {
    const io::Progress sent = in_scope || !handler_runs_ ? write() : client_.outside(write);
    if (sent.has_value()) return sent;
    if (in_scope && sent.error() == make_error_code(Errc::cancelled) && client_.ended()) {
      in_scope = false;
      drop_front(buffers, sent.bytes());
    } else if (!drop_sent(buffers, sent)) {
      return sent;
    }
    now_ns_ = coarse_now_ns();
  }
}

}  // namespace weft::http::server
