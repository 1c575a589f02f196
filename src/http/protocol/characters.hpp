// SPDX-License-Identifier: Apache-2.0
#pragma once

// The character classes of RFC 9110 and RFC 3986 that the protocol half asks for, one byte of flags a
// character.

#include <array>
#include <cstdint>
#include <string_view>

namespace weft::http::protocol {

enum CharacterClass : std::uint8_t {
  kTokenCharacter = 1,    // tchar: methods, header names
  kValueCharacter = 2,    // field-value: all but control characters; a tab is fine
  kNameCharacter = 4,     // reg-name of a host: unreserved, sub-delims, %
  kAddressCharacter = 8,  // within the brackets of an IP literal: the same and the colon
  kPathCharacter = 16,    // passed over in a target's path: what is visible, but for # ? %
  kQueryCharacter = 32,   // in its query: what is visible, but for #
};

constexpr std::uint8_t classes_of(unsigned character) {
  constexpr std::string_view kTokenMarks = "!#$%&'*+-.^_`|~";
  constexpr std::string_view kNameMarks = "-._~!$&'()*+,;=%";
  const char c = static_cast<char>(character);
  const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  unsigned classes = 0;
  if (alphanumeric || kTokenMarks.find(c) != kTokenMarks.npos) classes |= kTokenCharacter;
  if (alphanumeric || kNameMarks.find(c) != kNameMarks.npos) classes |= kNameCharacter | kAddressCharacter;
  if (c == ':') classes |= kAddressCharacter;
  if (character == '\t' || (character >= 0x20 && character != 0x7f)) classes |= kValueCharacter;
  if (character > 0x20 && character < 0x7f && c != '#') {
    classes |= kQueryCharacter;
    if (c != '?' && c != '%') classes |= kPathCharacter;
  }
  return static_cast<std::uint8_t>(classes);
}

inline constexpr std::array<std::uint8_t, 256> kCharacterClasses = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned character = 1; character < 256; ++character) table[character] = classes_of(character);
  return table;
}();

constexpr bool is(CharacterClass wanted, char c) noexcept {
  return (kCharacterClasses[static_cast<unsigned char>(c)] & wanted) != 0;
}

/// True if every character of `text` has the class; also for the empty text.
constexpr bool all_are(CharacterClass wanted, std::string_view text) noexcept {
  unsigned classes = wanted;
  for (const char c : text) classes &= kCharacterClasses[static_cast<unsigned char>(c)];
  return classes != 0;
}

constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr bool is_hex_digit(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

constexpr std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Calls `f(element)` for each non-empty element of a comma-separated list, trimmed.
template <class F>
constexpr void for_each_element(std::string_view list, F&& f) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view element = trim(list.substr(0, comma));
    if (!element.empty()) f(element);
    list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
  }
}

}  // namespace weft::http::protocol
