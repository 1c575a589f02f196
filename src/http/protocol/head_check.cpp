// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/head_check.hpp"

#include "http/protocol/characters.hpp"
#include "http/protocol/head_facts.hpp"
#include "http/protocol/target.hpp"

#include <algorithm>
#include <cstring>

namespace weft::http::protocol {
namespace {

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

Refusal check_lines(const HeadText& text, const char* line, HeadFacts& facts) noexcept {
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

Refusal check_transfer_encoding(const HeadFacts& facts, RequestHead& head) noexcept {
  if (head.version == Version::http_1_0) return bad_request("Transfer-Encoding in HTTP/1.0");
  if (facts.content_length_count != 0) return bad_request("Transfer-Encoding with Content-Length");
  if (!facts.ends_in_chunked || facts.chunked_count != 1 || facts.empty_coding) {
    return bad_request("Transfer-Encoding does not end in one 'chunked'");
  }
  if (facts.other_coding_count != 0) return {Status::not_implemented, "a transfer coding other than chunked"};
  head.body = BodyFraming::kChunked;
  return kAccepted;
}

Refusal check_framing(const HeadFacts& facts, const FramingReport& report, RequestHead& head) noexcept {
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

}  // namespace

Refusal check_head(const HeadText& text, const FramingReport& report, HostMemory& host,
                   RequestHead& head) noexcept {
  Refusal refusal;
  HeadFacts facts;
  head.headers = Headers(text.headers, text.header_count);
  head.authority = {};
  const char* line = check_request_line(text, head, refusal);
  if (line == nullptr) return refusal;
  if ((refusal = check_lines(text, line, facts))) return refusal;
  if ((refusal = check_framing(facts, report, head))) return refusal;
  if ((refusal = split_target(head))) return refusal;
  if ((refusal = check_host(facts, host, head.version))) return refusal;
  if (head.authority.empty()) head.authority = facts.host;  // that of the target comes first
  decide_persistence(facts, head);
  return kAccepted;
}

}  // namespace weft::http::protocol
