// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the headers that govern a message say: collected line by line, the same for each way to read a head.

#include "http/protocol/host_memory.hpp"
#include "http/protocol/refusal.hpp"
#include "http/protocol/short_bytes.hpp"

#include <weft/http/request_head.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weft::http::protocol {

struct HeadFacts {
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

/// `name` is of the same size and has no control characters, so bit 5 only tells the case of letters.
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

/// The headers that say something about the message, but for Host. Told apart by length first.
[[gnu::noinline]] Refusal note_framing(HeadFacts& facts, const Header& header) noexcept;

/// The first letter of the names that note_framing() knows, by their size: no two have the same.
inline constexpr std::array<char, 18> kFirstLetters = [] {
  std::array<char, 18> letters{};
  for (const std::string_view name : {"expect", "connection", "content-length", "transfer-encoding"})
    letters[name.size()] = name[0];
  return letters;
}();

/// Notes what `header`, whose value is trimmed and whose name is not empty, says. Most headers of most
/// requests leave after one or two comparisons.
inline Refusal note(HeadFacts& facts, const Header& header) noexcept {
  if (header.name_size == 4) {
    if (name_is(header.name_data, "host")) facts.host = header.value(), ++facts.host_count;
    return kAccepted;
  }
  if (header.name_size >= kFirstLetters.size()) return kAccepted;
  if (kFirstLetters[header.name_size] != (header.name_data[0] | 0x20)) return kAccepted;
  return note_framing(facts, header);
}

/// A Host that is not remembered.
[[gnu::noinline]] Refusal check_new_host(std::string_view host, HostMemory& memory) noexcept;

/// None is needed in HTTP/1.0.
inline bool lacks_host(const HeadFacts& facts, Version version) noexcept {
  return facts.host_count == 0 && version == Version::http_1_1;
}

/// One Host, or none in HTTP/1.0.
[[gnu::always_inline]] inline Refusal check_host(const HeadFacts& facts, HostMemory& memory,
                                                 Version version) noexcept {
  if (facts.host_count > 1) return bad_request("more than one Host");
  if (lacks_host(facts, version)) return bad_request("no Host");
  return memory.knows(facts.host) ? kAccepted : check_new_host(facts.host, memory);
}

/// REQUIRES: version and framing of `head` are known.
inline void decide_persistence(const HeadFacts& facts, RequestHead& head) noexcept {
  const bool modern = head.version == Version::http_1_1;
  head.keep_alive = !facts.connection_close && (modern || facts.connection_keep_alive);
  head.expects_continue = facts.expects_continue && modern && head.body != BodyFraming::kNone;
}

}  // namespace weft::http::protocol
