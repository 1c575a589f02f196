// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/head_facts.hpp"

#include "http/protocol/characters.hpp"
#include "http/protocol/target.hpp"

#include <algorithm>

namespace weft::http::protocol {
namespace {

Refusal note_content_length(HeadFacts& facts, std::string_view value) noexcept {
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

void note_transfer_encoding(HeadFacts& facts, std::string_view value) noexcept {
  facts.has_transfer_encoding = true;
  std::ptrdiff_t count = 0;
  for_each_element(value, [&](std::string_view coding) {
    facts.ends_in_chunked = equals_ignoring_case(coding, "chunked");
    ++(facts.ends_in_chunked ? facts.chunked_count : facts.other_coding_count);
    ++count;
  });
  if (count != std::count(value.begin(), value.end(), ',') + 1) facts.empty_coding = true;
}

void note_connection(HeadFacts& facts, std::string_view value) noexcept {
  if (value.size() == 10 && name_is(value.data(), "keep-alive")) {  // what most say
    facts.connection_keep_alive = true;
    return;
  }
  for_each_element(value, [&](std::string_view option) {
    if (equals_ignoring_case(option, "close")) facts.connection_close = true;
    if (equals_ignoring_case(option, "keep-alive")) facts.connection_keep_alive = true;
  });
}

Refusal note_expect(HeadFacts& facts, std::string_view value) noexcept {
  if (value.empty()) return kAccepted;  // an empty list of expectations
  if (!equals_ignoring_case(value, "100-continue")) {
    return {Status::expectation_failed, "an expectation other than 100-continue"};
  }
  facts.expects_continue = true;
  return kAccepted;
}

}  // namespace

Refusal note_framing(HeadFacts& facts, const Header& header) noexcept {
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

Refusal check_new_host(std::string_view host, HostMemory& memory) noexcept {
  if (!is_authority(host)) return bad_request("Host is not 'host' or 'host:port'");
  memory.remember(host);
  return kAccepted;
}

}  // namespace weft::http::protocol
