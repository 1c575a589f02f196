// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/characters.hpp"

#include <weft/http/headers.hpp>

namespace weft::http {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  for (const Header& header : *this) {
    if (equals_ignoring_case(header.name(), name)) return header.value();
  }
  return std::nullopt;
}

std::string_view Headers::get(std::string_view name, std::string_view fallback) const noexcept {
  return find(name).value_or(fallback);
}

std::size_t Headers::count(std::string_view name) const noexcept {
  std::size_t count = 0;
  for_each(name, [&](std::string_view) { ++count; });
  return count;
}

bool Headers::has_token(std::string_view name, std::string_view token) const noexcept {
  bool found = false;
  for_each(name, [&](std::string_view list) {
    protocol::for_each_element(
        list, [&](std::string_view element) { found |= equals_ignoring_case(element, token); });
  });
  return found;
}

}  // namespace weft::http
