// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/head_check.hpp"

#include "http/protocol/characters.hpp"
#include "http/protocol/short_bytes.hpp"
#include "http/protocol/target.hpp"

#include <algorithm>
#include <cstring>

namespace weft::http::protocol {
namespace {

// What the headers that govern the message said.
struct Facts {
  std::string_view host;
  std::uint64_t content_length = 0;
  // At most as many as there are headers, or codings in a head.
  std::uint16_t host_count = 0;
  std::uint16_t content_length_count = 0;
  std::uint16_t chunked_count = 0;
  std::uint16_t other_coding_count = 0;
  bool has_transfer_encoding = false;
  bool empty_coding = false;
  bool ends_in_chunked = false;
  bool connection_close = false;
  bool connection_keep_alive = false;
  bool expects_continue = false;
};

// `name` is a token of the same size, so bit 5 only tells the case of letters.
template <std::size_t N>
bool name_is(const char* name, const char (&lower_case)[N]) noexcept {
  constexpr std::uint32_t kCaseBits = 0x20202020;
  constexpr std::size_t kSize = N - 1;
  std::uint32_t difference = 0;
  for (std::size_t i = 0; i < kSize; i += 4) {
    const std::size_t at = i + 4 <= kSize ? i : kSize - 4;
    const std::uint32_t folded = load_word<std::uint32_t>(name + at) | kCaseBits;
    difference |= folded ^ load_word<std::uint32_t>(lower_case + at);
  }
  return difference == 0;
}

Refusal note_content_length(Facts& facts, std::string_view value) noexcept {
  constexpr std::size_t kDigitsMax = 19;  // always fits 64 bits
  ++facts.content_length_count;
  if (value.empty()) return bad_request("Content-Length is not a number");
  std::uint64_t length = 0;
  std::size_t digits = 0;
  for (const char c : value) {
    if (!is_digit(c)) return bad_request("Content-Length is not a number");
    length = length * 10 + static_cast<unsigned>(c - '0');
    digits += digits != 0 || c != '0' ? 1 : 0;
  }
  if (digits > kDigitsMax) return {Status::content_too_large, "Content-Length is out of range"};
  facts.content_length = length;
  return kAccepted;
}

void note_transfer_encoding(Facts& facts, std::string_view value) noexcept {
  facts.has_transfer_encoding = true;
  std::ptrdiff_t count = 0;
  for_each_element(value, [&](std::string_view coding) {
    facts.ends_in_chunked = equals_ignoring_case(coding, "chunked");
    ++(facts.ends_in_chunked ? facts.chunked_count : facts.other_coding_count);
    ++count;
  });
  if (count != std::count(value.begin(), value.end(), ',') + 1) facts.empty_coding = true;
}

void note_connection(Facts& facts, std::string_view value) noexcept {
  for_each_element(value, [&](std::string_view option) {
    if (equals_ignoring_case(option, "close")) facts.connection_close = true;
    if (equals_ignoring_case(option, "keep-alive")) facts.connection_keep_alive = true;
  });
}

Refusal note_expect(Facts& facts, std::string_view value) noexcept {
  if (value.empty()) return kAccepted;  // an empty list of expectations
  if (!equals_ignoring_case(value, "100-continue")) {
    return {Status::expectation_failed, "an expectation other than 100-continue"};
  }
  facts.expects_continue = true;
  return kAccepted;
}

// The headers that say something about the message, but for Host. Told apart by length first.
[[gnu::noinline]] Refusal note_framing(Facts& facts, const Header& header) noexcept {
  const char* name = header.name_data;
  switch (header.name_size) {
    case 6:
      if (name_is(name, "expect")) return note_expect(facts, header.value());
      break;
    case 10:
      if (name_is(name, "connection")) note_connection(facts, header.value());
      break;
    case 14:
      if (name_is(name, "content-length")) return note_content_length(facts, header.value());
      break;
    case 17:
      if (name_is(name, "transfer-encoding")) note_transfer_encoding(facts, header.value());
      break;
    default: break;
  }
  return kAccepted;
}

// Most headers of most requests leave here after one or two comparisons.
Refusal note(Facts& facts, const Header& header) noexcept {
  constexpr std::uint32_t kSizes = 1u << 6 | 1u << 10 | 1u << 14 | 1u << 17;
  if (header.name_size == 4) {
    if (name_is(header.name_data, "host")) facts.host = header.value(), ++facts.host_count;
    return kAccepted;
  }
  if (header.name_size > 17 || (kSizes >> header.name_size & 1) == 0) return kAccepted;
  return note_framing(facts, header);
}

bool starts_with_crlf(const char* at, const char* end) noexcept {
  return end - at >= 2 && std::memcmp(at, "\r\n", 2) == 0;
}

// " HTTP/1.1\r\n" behind the target. A higher minor version is served as 1.1 (RFC 9110, 6.2). Returns the
// first header line, or null with a refusal.
const char* check_version(const char* at, const char* end, RequestHead& head, Refusal& refusal) noexcept {
  constexpr std::string_view kProtocol = " HTTP/1.";
  constexpr std::ptrdiff_t kSize = 11;
  refusal = bad_request("the request line is not 'method SP target SP HTTP/1.x CRLF'");
  if (end - at < kSize) return nullptr;
  if (std::memcmp(at, kProtocol.data(), kProtocol.size()) != 0) {
    const bool other_version = std::memcmp(at, " HTTP/", 6) == 0 && is_digit(at[6]) && at[7] == '.';
    if (other_version) refusal = {Status::http_version_not_supported, "a version other than HTTP/1"};
    return nullptr;
  }
  if (std::memcmp(at + 9, "\r\n", 2) != 0) return nullptr;
  head.version = at[8] == '0' ? Version::http_1_0 : Version::http_1_1;
  refusal = kAccepted;
  return at + kSize;
}

// The request line from its first byte. Returns the first header line, or null with a refusal.
const char* check_request_line(const HeadText& text, RequestHead& head, Refusal& refusal) noexcept {
  const char* at = text.begin;
  if (starts_with_crlf(at, text.end)) [[unlikely]]
    at += 2;  // one empty line is passed over (RFC 9112, 2.2)
  const std::size_t method_size = head.method == Method::get ? 3 : to_string(head.method).size();
  if (at + method_size + 1 != head.target.data()) {
    refusal = bad_request("more than one empty line, or white space around the method");
    return nullptr;
  }
  return check_version(head.target.data() + head.target.size(), text.end, head, refusal);
}

// One header line that has to start at `line`: name ":" OWS value OWS CRLF. Trims the value. Returns the next
// line.
const char* check_line(Header& header, const char* line, const char* end) noexcept {
  if (header.name_data != line || header.name_size == 0) return nullptr;
  const char* at = line + header.name_size + 1;        // llhttp saw the colon
  if (header.value_size == 0) header.value_data = at;  // llhttp reports it behind the line, or not at all
  while (at != header.value_data && is_blank(*at)) ++at;
  if (at != header.value_data) return nullptr;
  const char* value_end = at + header.value_size;
  at = value_end;
  while (at != end && is_blank(*at)) ++at;
  if (!starts_with_crlf(at, end)) return nullptr;
  while (value_end != header.value_data && is_blank(value_end[-1])) --value_end;
  header.value_size = static_cast<std::uint32_t>(value_end - header.value_data);
  return at + 2;
}

Refusal check_lines(const HeadText& text, const char* line, Facts& facts) noexcept {
  for (Header* header = text.headers; header != text.headers + text.header_count; ++header) {
    line = check_line(*header, line, text.end);
    if (line == nullptr) return bad_request("a header line is not 'name: value CRLF' on one line");
    if (const Refusal refusal = note(facts, *header)) return refusal;
  }
  if (!starts_with_crlf(line, text.end) || line + 2 != text.end) {
    return bad_request("the head does not end in an empty line");
  }
  return kAccepted;
}

Refusal check_transfer_encoding(const Facts& facts, RequestHead& head) noexcept {
  if (head.version == Version::http_1_0) return bad_request("Transfer-Encoding in HTTP/1.0");
  if (facts.content_length_count != 0) return bad_request("Transfer-Encoding with Content-Length");
  if (!facts.ends_in_chunked || facts.chunked_count != 1 || facts.empty_coding) {
    return bad_request("Transfer-Encoding does not end in one 'chunked'");
  }
  if (facts.other_coding_count != 0) return {Status::not_implemented, "a transfer coding other than chunked"};
  head.body = BodyFraming::kChunked;
  return kAccepted;
}

Refusal check_framing(const Facts& facts, const FramingReport& report, RequestHead& head) noexcept {
  head.body = BodyFraming::kNone;
  if (!facts.has_transfer_encoding && facts.content_length_count == 0 && !report.chunked &&
      !report.has_content_length) [[likely]] {
    head.content_length = 0;
    return kAccepted;
  }
  head.content_length = facts.content_length;
  if (facts.has_transfer_encoding) {
    if (const Refusal refusal = check_transfer_encoding(facts, head)) return refusal;
  } else if (facts.content_length_count > 1) {
    return bad_request("more than one Content-Length");
  } else if (facts.content_length != 0) {
    head.body = BodyFraming::kFixed;
  }
  const bool agreed = report.chunked == facts.has_transfer_encoding &&
                      report.has_content_length == (facts.content_length_count != 0) &&
                      report.content_length == facts.content_length;
  return agreed ? kAccepted : bad_request("two readings of the body's framing differ");
}

Refusal check_host(const Facts& facts, HostMemory& memory, RequestHead& head) noexcept {
  if (facts.host_count > 1) return bad_request("more than one Host");
  if (facts.host_count == 0 && head.version == Version::http_1_1) return bad_request("no Host");
  if (!memory.knows(facts.host)) {
    if (!is_authority(facts.host)) return bad_request("Host is not 'host' or 'host:port'");
    memory.remember(facts.host);
  }
  if (head.authority.empty()) head.authority = facts.host;
  return kAccepted;
}

}  // namespace

Refusal check_head(const HeadText& text, const FramingReport& report, HostMemory& host,
                   RequestHead& head) noexcept {
  Refusal refusal;
  Facts facts;
  head.headers = Headers(text.headers, text.header_count);
  head.authority = {};
  const char* line = check_request_line(text, head, refusal);
  if (line == nullptr) return refusal;
  if ((refusal = check_lines(text, line, facts))) return refusal;
  if ((refusal = check_framing(facts, report, head))) return refusal;
  if ((refusal = split_target(head))) return refusal;
  if ((refusal = check_host(facts, host, head))) return refusal;
  const bool modern = head.version == Version::http_1_1;
  head.keep_alive = !facts.connection_close && (modern || facts.connection_keep_alive);
  head.expects_continue = facts.expects_continue && modern && head.body != BodyFraming::kNone;
  return kAccepted;
}

}  // namespace weft::http::protocol
