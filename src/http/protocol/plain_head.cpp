// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/plain_head.hpp"

#include "http/protocol/byte_scan.hpp"
#include "http/protocol/head_facts.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace weft::http::protocol {
namespace {

// No head is shorter, and nothing in one has to look whether so much is there: enough for byte_scan, too.
constexpr std::string_view kShortest = "GET / HTTP/1.1\r\n\r\n";
static_assert(kShortest.size() >= kScanWidth);

template <class Word, std::size_t N>
bool starts_with(const char* at, const char (&text)[N]) noexcept {
  static_assert(N == sizeof(Word) + 1);
  return load_word<Word>(at) == load_word<Word>(text);
}

// Each part of a head returns where the next one begins, or null.

const char* read_method(const char* at, RequestHead& head) noexcept {
  if (starts_with<std::uint32_t>(at, "GET ")) return head.method = Method::get, at + 4;
  if (starts_with<std::uint32_t>(at, "HEAD") && at[4] == ' ') return head.method = Method::head, at + 5;
  return nullptr;
}

// The end of a path, null if a percent sign does not begin a byte in hexadecimal.
const char* end_of_path(const char* at, const char* end) noexcept {
  for (;; at += 3) {
    at = end_of_run<kPathCharacter>(at, end);
    if (at == end || *at != '%') return at;
    if (end - at < 3 || !is_hex_digit(at[1]) || !is_hex_digit(at[2])) return nullptr;
  }
}

const char* read_target(const char* at, const char* end, RequestHead& head) noexcept {
  if (*at != '/') return nullptr;
  const char* const path_end = at[1] == ' ' ? at + 1 : end_of_path(at + 1, end);
  if (path_end == nullptr || path_end == end) return nullptr;
  head.path = {at, path_end};
  head.query = {};
  const char* target_end = path_end;
  if (*path_end == '?') {
    target_end = end_of_run<kQueryCharacter>(path_end + 1, end);
    head.query = {path_end + 1, target_end};
  }
  head.target = {at, target_end};
  return target_end;
}

const char* read_version(const char* at, const char* end, RequestHead& head) noexcept {
  constexpr std::ptrdiff_t kSize = sizeof(" HTTP/1.1\r\n") - 1;
  if (end - at < kSize || !starts_with<std::uint64_t>(at, " HTTP/1.")) return nullptr;
  if (starts_with<std::uint32_t>(at + 7, ".1\r\n")) return head.version = Version::http_1_1, at + kSize;
  if (starts_with<std::uint32_t>(at + 7, ".0\r\n")) return head.version = Version::http_1_0, at + kSize;
  return nullptr;
}

bool is_line_end(const char* at, const char* end) noexcept {
  return end - at >= 2 && starts_with<std::uint16_t>(at, "\r\n");
}

// name ":" OWS value OWS CRLF
const char* read_header(const char* at, const char* end, Header& header) noexcept {
  const char* const colon = end_of_run<kTokenCharacter>(at, end);
  if (colon == at || colon == end || *colon != ':') return nullptr;
  const char* value = colon + 1;
  while (value != end && is_blank(*value)) ++value;
  const char* const line_end = end_of_run<kValueCharacter>(value, end);
  if (!is_line_end(line_end, end)) return nullptr;
  const char* value_end = line_end;
  while (value_end != value && is_blank(value_end[-1])) --value_end;
  header = {at, value, static_cast<std::uint32_t>(colon - at), static_cast<std::uint32_t>(value_end - value)};
  return line_end + 2;
}

// Up to and with the empty line; `header` is then behind the last one.
const char* read_headers(const char* at, const char* end, Header*& header, const Header* stop,
                         HeadFacts& facts) noexcept {
  for (; !is_line_end(at, end); ++header) {
    if (header == stop) return nullptr;
    at = read_header(at, end, *header);
    if (at == nullptr || note(facts, *header)) return nullptr;
  }
  return at + 2;
}

const char* read_request_line(const char* first, const char* end, const Limits& limits,
                              RequestHead& head) noexcept {
  const char* const target = read_method(first, head);
  if (target == nullptr) return nullptr;
  const char* const target_end = read_target(target, end, head);
  if (target_end == nullptr) return nullptr;
  if (static_cast<std::size_t>(target_end - first) > limits.request_line_size_max) return nullptr;
  return read_version(target_end, end, head);
}

bool says_nothing_of_a_body(const HeadFacts& facts) noexcept {
  return !facts.has_transfer_encoding && facts.content_length_count == 0;
}

void complete(const HeadFacts& facts, const Headers& headers, RequestHead& head) noexcept {
  head.headers = headers;
  head.authority = facts.host;
  head.content_length = 0;
  head.body = BodyFraming::kNone;
  decide_persistence(facts, head);
}

const char* read_new_lines(const char* lines, const char* end, const Limits& limits, Header* headers,
                           HeadMemory& memory, RequestHead& head) noexcept {
  memory.lines.forget();
  HeadFacts facts;
  Header* header = headers;
  const char* const head_end = read_headers(lines, end, header, headers + limits.header_count_max, facts);
  if (head_end == nullptr || !says_nothing_of_a_body(facts) || check_host(facts, memory.host, head.version))
    return nullptr;
  const auto count = static_cast<std::size_t>(header - headers);
  memory.lines.remember({lines, head_end}, facts, count);
  complete(facts, Headers(headers, count), head);
  return head_end;
}

}  // namespace

const char* read_plain_head(std::string_view received, const Limits& limits, Header* headers,
                            HeadMemory& memory, RequestHead& head) noexcept {
  const std::size_t size = std::min(received.size(), limits.head_size_max);
  if (size < kShortest.size()) return nullptr;
  const char* const first = received.data();
  const char* const end = first + size;
  const char* const lines = read_request_line(first, end, limits, head);
  if (lines == nullptr) return nullptr;
  if (!memory.lines.repeat(lines, end, headers))
    return read_new_lines(lines, end, limits, headers, memory, head);
  const HeadFacts& facts = memory.lines.facts();
  if (lacks_host(facts, head.version)) return nullptr;  // the version is not of these lines
  complete(facts, Headers(headers, memory.lines.count()), head);
  return lines + memory.lines.size();
}

}  // namespace weft::http::protocol
