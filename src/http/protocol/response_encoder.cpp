// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/response_encoder.hpp"

#include "base/panic.hpp"
#include "http/protocol/characters.hpp"
#include "http/protocol/status_lines.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <limits>

namespace weft::http::protocol {
namespace {

/// What can be counted, and added to.
constexpr std::size_t kSizeMax = std::numeric_limits<std::size_t>::max() / 4;

constexpr std::string_view kLengthName = "Content-Length";

// Of a size known here: one or two moves.
template <std::size_t N>
char* put_literal(char* at, const char (&text)[N]) noexcept {
  std::memcpy(at, text, N - 1);
  return at + N - 1;
}

// "00" to "99".
constexpr auto kTwoDigits = [] {
  std::array<std::array<char, 2>, 100> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    table[i] = {static_cast<char>('0' + i / 10), static_cast<char>('0' + i % 10)};
  }
  return table;
}();

[[gnu::always_inline]] inline char* put_decimal(char* at, std::uint64_t value) noexcept {
  if (value < 10) return *at = static_cast<char>('0' + value), at + 1;
  if (value < 100) return std::memcpy(at, kTwoDigits[value].data(), 2), at + 2;
  char* end = at + 1;
  for (std::uint64_t rest = value; rest >= 10; rest /= 10) ++end;
  for (char* digit = end; digit != at; value /= 10) *--digit = static_cast<char>('0' + value % 10);
  return end;
}

std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  constexpr std::size_t kDigitsMax = 19;  // always fits 64 bits
  if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    length = length * 10 + static_cast<unsigned>(c - '0');
  }
  return length;
}

// The end of the line at `at`, behind its CRLF. Lines were written by append_line(), so each has one.
char* line_end(char* at, const char* end) noexcept {
  char* newline = static_cast<char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
  WEFT_ASSERT(newline != nullptr, "a response header line without an end");
  return newline + 1;
}

bool line_has_name(std::string_view line, std::string_view name) noexcept {
  return line.size() > name.size() && line[name.size()] == ':' &&
         equals_ignoring_case(line.substr(0, name.size()), name);
}

// Writes "HTTP/1.1 299 \r\n" so that it ends at `end`; returns its first byte.
char* put_unnamed_status_line(char* end, Status status) noexcept {
  constexpr std::string_view kShape = "HTTP/1.1 000 \r\n";
  char* begin = end - kShape.size();
  kShape.copy(begin, kShape.size());
  unsigned code = code_of(status);
  for (int i = 11; i >= 9; --i, code /= 10) begin[i] = static_cast<char>('0' + code % 10);
  return begin;
}

// What add_header() treats apart, told by size and first letter before it is compared.
enum class Special : std::uint8_t { kNone, kContentLength, kConnection, kTransferEncoding, kDate };

Special special_of(std::string_view name) noexcept {
  switch (name.size()) {
    case 4: return equals_ignoring_case(name, "Date") ? Special::kDate : Special::kNone;
    case 10: return equals_ignoring_case(name, "Connection") ? Special::kConnection : Special::kNone;
    case 14: return equals_ignoring_case(name, kLengthName) ? Special::kContentLength : Special::kNone;
    case 17:
      return equals_ignoring_case(name, "Transfer-Encoding") ? Special::kTransferEncoding : Special::kNone;
    default: return Special::kNone;
  }
}

bool valid_line(std::string_view name, std::string_view value) noexcept {
  return !name.empty() && all_are(kTokenCharacter, name) && all_are(kValueCharacter, value);
}

// Of strings that exist, so it does not wrap.
std::size_t line_size(std::string_view name, std::string_view value) noexcept {
  return name.size() + value.size() + sizeof(": \r\n") - 1;
}

}  // namespace

ResponseEncoder::ResponseEncoder(std::span<char> buffer, std::size_t head_size_max) noexcept
    : buffer_(buffer), size_max_(std::max(buffer.size(), std::min(head_size_max, kSizeMax))) {
  WEFT_ASSERT(buffer.size() >= kBufferSizeMin, "a write buffer without room for a head",
              WEFT_VALUE(buffer.size()));
  begin({});
}

Result<void> ResponseEncoder::set_status(Status status) noexcept {
  if (code_of(status) < 200 || code_of(status) > 599) return Errc::malformed_message;
  status_ = status;
  return {};
}

Result<void> ResponseEncoder::add_header(std::string_view name, std::string_view value) noexcept {
  if (!valid_line(name, value)) return Errc::malformed_message;
  switch (special_of(name)) {
    case Special::kContentLength: return set_length(value);
    case Special::kConnection: return set_connection(value);
    case Special::kTransferEncoding: return Errc::malformed_message;
    case Special::kDate:
      if (has_date_) return Errc::malformed_message;
      break;
    case Special::kNone: return append_line(name, value);
  }
  Result<void> appended = append_line(name, value);
  has_date_ = appended.has_value();
  return appended;
}

// Nothing is taken away before it is certain that the new line takes its place.
Result<void> ResponseEncoder::set_header(std::string_view name, std::string_view value) noexcept {
  if (!valid_line(name, value)) return Errc::malformed_message;
  const Special special = special_of(name);
  if (special == Special::kContentLength) {
    const std::optional<std::uint64_t> length = parse_length(trim(value));
    if (!length) return Errc::malformed_message;
    has_length_ = false;
  } else if (special == Special::kNone || special == Special::kDate) {
    const std::size_t size = line_size(name, value);
    const std::size_t room = free_space().size() + size_of_lines(name);
    if (size + kTail > room && !make_room(size)) return Errc::message_too_large;
    if (special == Special::kDate) has_date_ = false;
    remove_header(name);
  }
  return add_header(name, value);
}

std::size_t ResponseEncoder::size_of_lines(std::string_view name) const noexcept {
  std::size_t size = 0;
  for (char* line = buffer_.first() + kGap; line != at_;) {
    char* end = line_end(line, at_);
    if (line_has_name({line, static_cast<std::size_t>(end - line)}, name))
      size += static_cast<std::size_t>(end - line);
    line = end;
  }
  return size;
}

bool ResponseEncoder::has_header(std::string_view name) const noexcept {
  if (equals_ignoring_case(name, kLengthName)) return has_length_;
  for (char* line = buffer_.first() + kGap; line != at_;) {
    char* end = line_end(line, at_);
    if (line_has_name({line, static_cast<std::size_t>(end - line)}, name)) return true;
    line = end;
  }
  return false;
}

void ResponseEncoder::remove_header(std::string_view name) noexcept {
  for (char* line = buffer_.first() + kGap; line != at_;) {
    char* end = line_end(line, at_);
    if (line_has_name({line, static_cast<std::size_t>(end - line)}, name)) {
      std::memmove(line, end, static_cast<std::size_t>(at_ - end));
      at_ -= end - line;
    } else {
      line = end;
    }
  }
}

// For `size` more bytes of header lines.
bool ResponseEncoder::make_room(std::size_t size) noexcept {
  const std::size_t used = static_cast<std::size_t>(at_ - buffer_.first());
  const std::size_t needed = used + size + kTail;
  if (needed > size_max_) return false;
  if (!buffer_.grow(std::min(std::max(needed, 2 * buffer_.size()), size_max_), {buffer_.first(), used}))
    return false;
  at_ = buffer_.first() + used;
  return true;
}

Result<void> ResponseEncoder::append_line(std::string_view name, std::string_view value) noexcept {
  const std::size_t size = line_size(name, value);
  if (size + kTail > free_space().size() && !make_room(size)) return Errc::message_too_large;
  put(name), put(": "), put(value), put("\r\n");
  return {};
}

Result<void> ResponseEncoder::set_length(std::string_view value) noexcept {
  const std::optional<std::uint64_t> length = parse_length(trim(value));
  if (!length || (has_length_ && *length != length_)) return Errc::malformed_message;
  length_ = *length;
  has_length_ = true;
  return {};
}

Result<void> ResponseEncoder::set_connection(std::string_view value) noexcept {
  if (equals_ignoring_case(value, "keep-alive")) return {};
  if (!equals_ignoring_case(value, "close")) return Errc::malformed_message;
  keep_alive_ = false;
  return {};
}

// A 204 has no Content-Length at all (RFC 9110, 8.6); a 304 only the one that its handler knows.
char* ResponseEncoder::put_length(char* at, std::uint64_t length) const noexcept {
  if (status_ != Status::ok &&
      (status_ == Status::no_content || (status_ == Status::not_modified && !has_length_))) {
    return at;
  }
  at = put_decimal(put_literal(at, "Content-Length: "), length);
  return put_literal(at, "\r\n");
}

char* ResponseEncoder::put_connection(char* at) const noexcept {
  if (!keep_alive_) return put_literal(at, "Connection: close\r\n\r\n");
  if (context_.version == Version::http_1_0) return put_literal(at, "Connection: keep-alive\r\n\r\n");
  return put_literal(at, "\r\n");
}

// Fills the gap from behind; returns the message from its first byte to at_.
std::string_view ResponseEncoder::put_front(std::string_view date_line) noexcept {
  static_assert(kStatusLineSizeMax + DateLine::kSize <= kGap);
  char* begin = buffer_.first() + kGap;
  if (!has_date_) {
    begin -= date_line.size();
    if (date_line.size() == DateLine::kSize) [[likely]] {
      copy_exactly<DateLine::kSize>(begin, date_line.data());
    } else {
      copy_short(begin, date_line);
    }
  }
  if (status_ == Status::ok) [[likely]] {  // without a look into the table
    constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\n";
    begin -= kOk.size();
    copy_exactly<kOk.size()>(begin, kOk.data());
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }
  const std::string_view line = status_line(status_);
  if (line.empty()) [[unlikely]] {
    begin = put_unnamed_status_line(begin, status_);
  } else {
    begin -= line.size();
    copy_short(begin, line);
  }
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

Result<EncodedResponse> ResponseEncoder::finish(std::string_view body, std::string_view date_line) noexcept {
  const bool forbidden = status_ != Status::ok && forbids_content(status_);
  const bool silent = forbidden || context_.method == Method::head;
  if (forbidden) [[unlikely]] {
    if (!body.empty()) return Errc::malformed_message;
    announce_no_content();
  }
  if (has_length_ && length_ != body.size() && !(silent && body.empty())) return Errc::malformed_message;
  framing_ = silent ? ResponseFraming::kNone : ResponseFraming::kFixed;
  at_ = put_connection(put_length(at_, has_length_ ? length_ : body.size()));
  if (silent) body = {};
  const bool fits = body.size() <= free_space().size();
  if (fits) put(body), body = {};
  return EncodedResponse{put_front(date_line), body};
}

// A 205 says that it has none, whatever its handler announced; the others have no length of their own.
void ResponseEncoder::announce_no_content() noexcept {
  if (status_ != Status::reset_content) return;
  has_length_ = true;
  length_ = 0;
}

Result<std::string_view> ResponseEncoder::start_stream(std::string_view date_line) noexcept {
  if (forbids_content(status_)) announce_no_content();
  if (context_.method == Method::head || forbids_content(status_)) {
    framing_ = ResponseFraming::kNone;
  } else if (has_length_) {
    framing_ = ResponseFraming::kFixed;
  } else if (context_.version == Version::http_1_1) {
    framing_ = ResponseFraming::kChunked;
  } else {
    framing_ = ResponseFraming::kUntilClose;
    keep_alive_ = false;
  }
  if (has_length_) {
    at_ = put_length(at_, length_);
  } else if (!forbids_body(status_) && context_.version == Version::http_1_1) {
    put("Transfer-Encoding: chunked\r\n");
  }
  at_ = put_connection(at_);
  return put_front(date_line);
}

std::optional<std::uint64_t> ResponseEncoder::length() const noexcept {
  return has_length_ ? std::optional<std::uint64_t>(length_) : std::nullopt;
}

std::string_view encode_error(std::span<char> buffer, const Refusal& refusal,
                              std::string_view date_line) noexcept {
  if (buffer.size() < ResponseEncoder::kBufferSizeMin) return {};
  ResponseEncoder encoder(buffer);
  encoder.begin({Method::get, Version::http_1_1, false});
  if (!encoder.set_status(refusal.status) || !encoder.add_header("Content-Type", "text/plain")) return {};
  std::array<char, 192> body;
  const std::string_view phrase = reason_phrase(refusal.status);
  const int size = std::snprintf(body.data(), body.size(), "%.*s: %s", static_cast<int>(phrase.size()),
                                 phrase.data(), refusal.reason);
  const std::size_t whole = std::min(static_cast<std::size_t>(size), body.size() - 1);
  const Result<EncodedResponse> response = encoder.finish({body.data(), whole}, date_line);
  return response && response->body.empty() ? response->head : std::string_view();
}

}  // namespace weft::http::protocol
