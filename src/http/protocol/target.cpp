// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/target.hpp"

#include "http/protocol/characters.hpp"

#include <algorithm>

namespace weft::http::protocol {
namespace {

constexpr Refusal kBadTarget = bad_request("the request target has no valid form");

constexpr std::size_t kPortDigitsMax = 5;
constexpr std::uint32_t kPortMax = 65535;

// May be empty.
bool is_port(std::string_view text) noexcept {
  if (text.size() > kPortDigitsMax) return false;
  std::uint32_t port = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    port = port * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return port <= kPortMax;
}

// True if each percent sign begins a byte in hexadecimal.
bool is_percent_encoded(std::string_view text) noexcept {
  for (std::size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 3)) {
    if (text.size() - at < 3 || !is_hex_digit(text[at + 1]) || !is_hex_digit(text[at + 2])) return false;
  }
  return true;
}

bool is_ip_literal(std::string_view text) noexcept {
  const std::size_t close = text.find(']');
  if (close == text.npos || close < 2) return false;
  const std::string_view address = text.substr(1, close - 1);
  const std::string_view rest = text.substr(close + 1);
  if (!all_are(kAddressCharacter, address) || !is_percent_encoded(address)) return false;
  return rest.empty() || (rest[0] == ':' && is_port(rest.substr(1)));
}

// A name, then at most one colon and a port.
bool is_named_host(std::string_view text) noexcept {
  std::size_t size = 0;
  while (size != text.size() && is(kNameCharacter, text[size])) ++size;
  if (!is_percent_encoded(text.substr(0, size))) return false;
  if (size == text.size()) return true;
  return text[size] == ':' && size != 0 && is_port(text.substr(size + 1));
}

Refusal split_path(RequestHead& head, std::string_view text) noexcept {
  const std::size_t question = text.find('?');
  head.path = text.substr(0, question);
  head.query = question == text.npos ? std::string_view() : text.substr(question + 1);
  if (head.path.empty()) head.path = head.method == Method::options && head.query.empty() ? "*" : "/";
  if (!is_percent_encoded(head.path)) {
    return bad_request("a percent sign in the path is not followed by two hexadecimal digits");
  }
  return kAccepted;
}

std::size_t scheme_size(std::string_view target) noexcept {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equals_ignoring_case(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

Refusal split_absolute(RequestHead& head) noexcept {
  const std::size_t scheme = scheme_size(head.target);
  if (scheme == 0) return kBadTarget;
  const std::string_view rest = head.target.substr(scheme);
  const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  head.authority = rest.substr(0, slash);
  if (head.authority.empty() || !is_authority(head.authority)) return kBadTarget;
  return split_path(head, rest.substr(slash));
}

Refusal split_asterisk(RequestHead& head) noexcept {
  if (head.target.size() != 1 || head.method != Method::options) return kBadTarget;
  head.path = head.target;
  head.query = {};
  return kAccepted;
}

}  // namespace

bool is_authority(std::string_view text) noexcept {
  if (text.empty()) return true;
  return text[0] == '[' ? is_ip_literal(text) : is_named_host(text);
}

Refusal split_target(RequestHead& head) noexcept {
  const std::string_view target = head.target;
  if (target.size() == 1 && target[0] == '/') return head.path = target, head.query = {}, kAccepted;
  if (target.empty()) return kBadTarget;
  if (target.find('#') != target.npos) return bad_request("the request target has a fragment");
  if (target[0] == '/') return split_path(head, target);
  return target[0] == '*' ? split_asterisk(head) : split_absolute(head);
}

}  // namespace weft::http::protocol
