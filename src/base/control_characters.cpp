// SPDX-License-Identifier: Apache-2.0
#include "base/control_characters.hpp"

#include <cstring>

namespace weft {
namespace {

constexpr bool is_continuation(unsigned char byte) noexcept { return (byte & 0xc0) == 0x80; }

/// How many bytes the character at `text` has in well-formed UTF-8; 0 if it is not that, as overlong forms
/// are.
std::size_t length_of_character(const unsigned char* text, std::size_t size) noexcept {
  const unsigned char first = text[0];
  const std::size_t length = first < 0x80                    ? 1
                             : first >= 0xc2 && first < 0xe0 ? 2
                             : first >= 0xe0 && first < 0xf0 ? 3
                             : first >= 0xf0 && first < 0xf5 ? 4
                                                             : 0;
  if (length > size) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!is_continuation(text[i])) return 0;
  const bool overlong = (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
  return overlong ? 0 : length;
}

bool is_control(const unsigned char* text, std::size_t length) noexcept {
  if (length == 2) return text[0] == 0xc2 && text[1] < 0xa0;
  return length == 1 && (text[0] < 0x20 || text[0] == 0x7f);
}

}  // namespace

void blank_control_characters(char* text, std::size_t size) noexcept {
  for (std::size_t at = 0; at < size;) {
    auto* const here = reinterpret_cast<unsigned char*>(text + at);
    const std::size_t length = length_of_character(here, size - at);
    if (length == 0) {
      if (*here < 0xa0) *here = ' ';  // a terminal may take it for a control character of eight bits
      ++at;
      continue;
    }
    if (is_control(here, length)) std::memset(here, ' ', length);
    at += length;
  }
}

}  // namespace weft
