// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/request_parser.hpp"

#include "base/panic.hpp"
#include "http/protocol/characters.hpp"
#include "http/protocol/head_check.hpp"
#include "http/protocol/llhttp_refusal.hpp"

#include <algorithm>

namespace weft::http::protocol {

static_assert(static_cast<int>(Method::del) == HTTP_DELETE &&
              static_cast<int>(Method::source) == HTTP_SOURCE &&
              static_cast<int>(Method::patch) == HTTP_PATCH && kMethodCount == HTTP_PRI);

namespace {

std::size_t size_of_token(std::string_view text) noexcept {
  std::size_t size = 0;
  while (size != text.size() && is(kTokenCharacter, text[size])) ++size;
  return size;
}

constexpr Refusal kTooManyHeaders{Status::request_header_fields_too_large,
                                  "the request has more headers than header_count_max"};

}  // namespace

const llhttp_t RequestParser::kFresh = [] {
  llhttp_t fresh;
  llhttp__internal_init(&fresh);
  fresh.type = HTTP_REQUEST;
  fresh.lenient_flags = LENIENT_VERSION;  // the check of the head knows better
  return fresh;
}();

void RequestParser::begin(const char* first, const Limits& limits) noexcept {
  WEFT_DEBUG_ASSERT(limits.header_count_max <= kHeaderCapacity, "more headers than there is room for");
  begin_ = cursor_ = first;
  limits_ = &limits;
  phase_ = Phase::kFresh;
  refusal_ = kAccepted;
}

// At the first byte.
void RequestParser::start_llhttp() noexcept {
  renew_llhttp();
  memory_.lines.forget();  // the header table becomes llhttp's
  head_stop_ = begin_ + limits_->head_size_max;
  constexpr std::size_t kUntilComplete =
      2;  // llhttp reports the target complete at the second byte behind it
  stop_ = begin_ + std::min(limits_->request_line_size_max + kUntilComplete, limits_->head_size_max);
  header_ = headers_.data();
  header_stop_ = header_ + limits_->header_count_max;
  beyond_get_ = 0;
  phase_ = Phase::kHead;
}

// Runs llhttp over [cursor_, end).
llhttp_errno_t RequestParser::execute(const char* end) noexcept {
  return static_cast<llhttp_errno_t>(llhttp__internal_execute(&llhttp_, cursor_, end));
}

HeadStatus RequestParser::parse_head(const char* end) noexcept {
  if (phase_ != Phase::kFresh) [[unlikely]]
    return parse_with_llhttp(end);
  const std::string_view received(begin_, static_cast<std::size_t>(end - begin_));
  const char* const head_end = read_plain_head(received, *limits_, headers_.data(), memory_, head_);
  if (head_end != nullptr) [[likely]] {
    cursor_ = head_end;
    phase_ = Phase::kFinished;
    return HeadStatus::kComplete;
  }
  start_llhttp();
  const HeadStatus status = parse_with_llhttp(end);
  if (status == HeadStatus::kNeedInput && received.empty()) phase_ = Phase::kFresh;
  return status;
}

HeadStatus RequestParser::parse_with_llhttp(const char* end) noexcept {
  if (phase_ == Phase::kRefused) return HeadStatus::kRefused;
  WEFT_DEBUG_ASSERT(phase_ == Phase::kHead, "parse_head() behind the head");
  while (cursor_ != end && cursor_ != stop_) {
    const char* to = std::min(end, stop_);
    const llhttp_errno_t error = execute(to);
    if (error == HPE_PAUSED) [[likely]] {
      cursor_ = llhttp_.error_pos;
      refuse(complete_head());
      return refusal_ ? HeadStatus::kRefused : HeadStatus::kComplete;
    }
    const bool rtsp = error == HPE_CB_URL_COMPLETE && !refusal_;
    if (error == HPE_INVALID_METHOD || rtsp) return parse_registered_method(end);
    if (error != HPE_OK) return refuse(refusal_ ? refusal_ : refusal_of(llhttp_)), HeadStatus::kRefused;
    cursor_ = to;
  }
  if (cursor_ != stop_) return HeadStatus::kNeedInput;
  return refuse(over_head_limit()), HeadStatus::kRefused;
}

// llhttp knows no such method, or knows it as RTSP's. The name is read here, and llhttp is told that it is
// GET: a method says nothing of what follows it. Not beyond the limits, nor beyond the longest name: what is
// decided must not depend on how much has come (H3, H4).
HeadStatus RequestParser::parse_registered_method(const char* end) noexcept {
  const char* const limit = std::min(end, stop_);
  const bool behind_a_line =
      std::string_view(begin_, static_cast<std::size_t>(limit - begin_)).starts_with("\r\n");
  const char* const name = behind_a_line ? begin_ + 2 : begin_;
  const std::size_t room = static_cast<std::size_t>(limit - name);
  const std::string_view text(name, std::min(room, kMethodNameSizeMax + 1));
  const std::size_t size = size_of_token(text);
  renew_llhttp();
  if (size == room && size <= kMethodNameSizeMax) {
    cursor_ = limit == stop_ ? stop_ : begin_;  // all of it again when the rest has come
    if (limit != stop_) return HeadStatus::kNeedInput;
    return refuse(over_head_limit()), HeadStatus::kRefused;
  }
  const std::optional<Method> method = method_from(text.substr(0, size));
  if (size == 0 || (size <= kMethodNameSizeMax && name[size] != ' ')) {
    refuse(bad_request("the request line does not begin with a method and a space"));
  } else if (!method || static_cast<std::size_t>(*method) < kMethodCount) {
    refuse({Status::not_implemented, "a method that is neither known nor registered"});
  } else {
    constexpr std::string_view kGet = "GET";
    static_cast<void>(llhttp__internal_execute(&llhttp_, kGet.data(), kGet.data() + kGet.size()));
    beyond_get_ = static_cast<std::uint8_t>(static_cast<unsigned>(*method) - HTTP_GET);
    cursor_ = name + size;
    return parse_with_llhttp(end);
  }
  return HeadStatus::kRefused;
}

void RequestParser::renew_llhttp() noexcept {
  llhttp_ = kFresh;
  llhttp_.data = this;
  head_.target = {};
}

// Pre: llhttp paused behind the empty line. Post: accepted, and the phase is that of the body; or a refusal.
Refusal RequestParser::complete_head() noexcept {
  head_.method = static_cast<Method>(llhttp_.method + beyond_get_);
  const HeadText text{begin_, cursor_, headers_.data(), static_cast<std::size_t>(header_ - headers_.data())};
  const FramingReport report{(llhttp_.flags & F_CHUNKED) != 0, (llhttp_.flags & F_CONTENT_LENGTH) != 0,
                             llhttp_.content_length};
  if (const Refusal refusal = check_head(text, report, memory_.host, head_)) return refusal;
  if (head_.body == BodyFraming::kNone) {
    phase_ = Phase::kFinished;
  } else if (head_.body == BodyFraming::kFixed) {
    if (head_.content_length > limits_->body_size_max)
      return {Status::content_too_large, "the request's body is larger than body_size_max"};
    left_ = head_.content_length;
    phase_ = Phase::kFixed;
  } else {
    left_ = limits_->body_size_max;
    piece_ = {};
    guard_.start(limits_->chunk_overhead_max);
    phase_ = Phase::kChunked;
  }
  return kAccepted;
}

// 414 as long as the target goes on, whichever of the two limits is met.
Refusal RequestParser::over_head_limit() const noexcept {
  const std::string_view head(begin_, static_cast<std::size_t>(cursor_ - begin_));
  const std::size_t target = head.find(' ');
  const bool in_target = target != head.npos && head.find(' ', target + 1) == head.npos;
  if (stop_ != head_stop_)
    return {Status::uri_too_long, "the request line is larger than request_line_size_max"};
  if (in_target) return {Status::uri_too_long, "the request line is larger than head_size_max"};
  return {Status::request_header_fields_too_large, "the request's head is larger than head_size_max"};
}

BodyPiece RequestParser::pull_body(const char* end, std::size_t size_max) noexcept {
  WEFT_DEBUG_ASSERT(phase_ != Phase::kFresh && phase_ != Phase::kHead,
                    "pull_body() before the head is complete");
  switch (phase_) {
    case Phase::kFixed: return pull_fixed(end, size_max);
    case Phase::kChunked: return pull_chunked(end, size_max);
    case Phase::kFinished: return {BodyStatus::kEnd, {}};
    default: return {BodyStatus::kRefused, {}};
  }
}

BodyPiece RequestParser::pull_fixed(const char* end, std::size_t size_max) noexcept {
  const std::uint64_t available = std::min<std::uint64_t>(static_cast<std::uint64_t>(end - cursor_), left_);
  if (available == 0) return {BodyStatus::kNeedInput, {}};
  const std::string_view piece(cursor_, std::min<std::size_t>(available, size_max));
  cursor_ += piece.size();
  skip_fixed(piece.size());
  return {BodyStatus::kData, piece};
}

BodyPiece RequestParser::pull_chunked(const char* end, std::size_t size_max) noexcept {
  while (piece_.empty()) {
    if (cursor_ == end) return {BodyStatus::kNeedInput, {}};
    if (!run_chunked(end)) return {BodyStatus::kRefused, {}};
    if (phase_ == Phase::kFinished) return {BodyStatus::kEnd, {}};
  }
  return yield_piece(size_max);
}

// Runs llhttp up to the next data, the end of the message, the end of the input or of the guard's allowance.
bool RequestParser::run_chunked(const char* end) noexcept {
  const std::size_t size = std::min(static_cast<std::size_t>(end - cursor_), guard_.allowance());
  framing_ = cursor_;
  if (llhttp_.error == HPE_PAUSED) llhttp_.error = HPE_OK;
  const llhttp_errno_t error = execute(cursor_ + size);
  cursor_ = error == HPE_OK ? cursor_ + size : llhttp_.error_pos;
  if (const Refusal refusal = guard_.framing(framing_, std::max(framing_, cursor_))) {
    refuse(refusal);
  } else if (error != HPE_OK && error != HPE_PAUSED) {
    refuse(refusal_ ? refusal_ : refusal_of(llhttp_));
  }
  return phase_ != Phase::kRefused;
}

BodyPiece RequestParser::yield_piece(std::size_t size_max) noexcept {
  const std::string_view piece = piece_.substr(0, size_max);
  piece_.remove_prefix(piece.size());
  return {BodyStatus::kData, piece};
}

void RequestParser::refuse(Refusal refusal) noexcept {
  if (!refusal) return;
  refusal_ = refusal;
  phase_ = Phase::kRefused;
}

int RequestParser::refuse_in_callback(Refusal refusal) noexcept {
  refusal_ = refusal;
  return HPE_USER;
}

int RequestParser::on_url(const char* at, std::size_t size) noexcept {
  const char* first = head_.target.empty() ? at : head_.target.data();
  head_.target = std::string_view(first, static_cast<std::size_t>(at + size - first));
  return 0;
}

// Requests that are none of HTTP/1's are refused here, before llhttp waits for the rest of another protocol.
int RequestParser::on_url_complete() noexcept {
  if (llhttp_.method >= HTTP_PRI || llhttp_.method == HTTP_CONNECT) [[unlikely]] {
    if (llhttp_.method == HTTP_PRI) {
      return refuse_in_callback({Status::http_version_not_supported, "a preface of HTTP/2"});
    }
    if (llhttp_.method != HTTP_CONNECT) return HPE_USER;  // RTSP's: here it may be registered
    return refuse_in_callback({Status::not_implemented, "CONNECT"});
  }
  stop_ = head_stop_;
  return 0;
}

// A piece that starts where the last name ended goes on with it: between two names there is at least a colon.
// A header too many is opened all the same and refused at its value: a name is reported when it ends, or
// earlier if the feed does, and one that turns out to be malformed must be refused as such wherever the feeds
// were cut (H3).
int RequestParser::on_header_field(const char* at, std::size_t size) noexcept {
  if (phase_ != Phase::kHead || size == 0)
    return 0;  // trailers: checked by llhttp and the guard, then dropped
  if (header_ != headers_.data()) {
    Header& last = header_[-1];
    if (last.name_data + last.name_size == at) return last.name_size += static_cast<std::uint32_t>(size), 0;
  }
  if (header_ > header_stop_) [[unlikely]] {
    return refuse_in_callback(kTooManyHeaders);
  }
  *header_++ = Header{at, nullptr, static_cast<std::uint32_t>(size), 0};
  return 0;
}

// The pieces of a value adjoin, unless a folded line (obs-fold) or a line without a name lies between them.
int RequestParser::on_header_value(const char* at, std::size_t size) noexcept {
  if (phase_ != Phase::kHead) return 0;
  if (header_ > header_stop_) [[unlikely]]
    return refuse_in_callback(kTooManyHeaders);
  if (size == 0) return 0;
  if (header_ != headers_.data()) {
    Header& header = header_[-1];
    if (header.value_data == nullptr) header.value_data = at;
    if (header.value_data + header.value_size == at) {
      header.value_size += static_cast<std::uint32_t>(size);
      return 0;
    }
  }
  return refuse_in_callback(bad_request("a header line is folded, or has no name"));
}

int RequestParser::on_chunk_header() noexcept {
  if (llhttp_.content_length <= left_) return 0;
  return refuse_in_callback({Status::content_too_large, "the request's body is larger than body_size_max"});
}

int RequestParser::on_body(const char* at, std::size_t size) noexcept {
  if (size == 0) return 0;
  const Refusal refusal = guard_.framing(framing_, at);
  framing_ = at + size;
  if (refusal) return refuse_in_callback(refusal);
  guard_.data(size);
  piece_ = {at, size};
  if (limits_->body_size_max != kUnlimited) left_ -= size;
  return HPE_PAUSED;
}

int RequestParser::on_message_complete() noexcept {
  phase_ = Phase::kFinished;
  return HPE_PAUSED;
}

}  // namespace weft::http::protocol
