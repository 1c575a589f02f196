// SPDX-License-Identifier: Apache-2.0
#include <weft/http/query.hpp>

namespace weft::http {
namespace {

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that `%xy` at the front of `text` stands for, or -1.
constexpr int escaped_byte(std::string_view text) noexcept {
  if (text.size() < 3) return -1;
  const int high = hex_value(text[1]);
  const int low = hex_value(text[2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

enum class Plus : bool { kIsPlus, kIsSpace };

// Calls `f(byte)` for each decoded byte until it returns false; false if it did, or at a malformed escape.
template <class F>
bool decode(std::string_view text, Plus plus, F&& f) {
  while (!text.empty()) {
    int byte = static_cast<unsigned char>(text.front());
    std::size_t size = 1;
    if (text.front() == '%') {
      byte = escaped_byte(text);
      if (byte < 0) return false;
      size = 3;
    } else if (text.front() == '+' && plus == Plus::kIsSpace) {
      byte = ' ';
    }
    if (!f(static_cast<char>(byte))) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::optional<std::string> decoded(std::string_view text, Plus plus) {
  std::string result;
  result.reserve(text.size());
  if (!decode(text, plus, [&](char c) { return result.push_back(c), true; })) return std::nullopt;
  return result;
}

bool equals(std::string_view text, std::string_view plain, Plus plus) noexcept {
  std::size_t matched = 0;
  const bool same =
      decode(text, plus, [&](char c) { return matched < plain.size() && plain[matched++] == c; });
  return same && matched == plain.size();
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) { return decoded(text, Plus::kIsPlus); }

std::optional<std::string> form_decode(std::string_view text) { return decoded(text, Plus::kIsSpace); }

bool equals_decoded(std::string_view text, std::string_view plain) noexcept {
  return text == plain ? text.find('%') == text.npos : equals(text, plain, Plus::kIsPlus);
}

Query::Iterator& Query::Iterator::operator++() noexcept {
  while (!rest_.empty() && rest_.front() == '&') rest_.remove_prefix(1);
  if (rest_.empty()) return done_ = true, *this;
  const std::string_view pair = rest_.substr(0, rest_.find('&'));
  const std::size_t equals_sign = pair.find('=');
  current_.name = pair.substr(0, equals_sign);
  current_.value = equals_sign == pair.npos ? pair.substr(pair.size()) : pair.substr(equals_sign + 1);
  rest_.remove_prefix(pair.size());
  return *this;
}

std::optional<std::string> Query::get(std::string_view name) const {
  for (const QueryParameter parameter : *this) {
    if (equals(parameter.name, name, Plus::kIsSpace)) return form_decode(parameter.value);
  }
  return std::nullopt;
}

bool Query::contains(std::string_view name) const noexcept {
  for (const QueryParameter parameter : *this) {
    if (equals(parameter.name, name, Plus::kIsSpace)) return true;
  }
  return false;
}

}  // namespace weft::http
