// SPDX-License-Identifier: Apache-2.0
#include "http/protocol/target.hpp"

#include "http/protocol/characters.hpp"

#include <algorithm>

namespace weft::http::protocol {
namespace {

constexpr Refusal kBadTarget = bad_request("the request target has no valid form");

constexpr std::ptrdiff_t kPortDigitsMax = 5;

bool is_port(std::string_view text) noexcept {
  return text.size() <= kPortDigitsMax && std::all_of(text.begin(), text.end(), is_digit);
}

bool is_ip_literal(std::string_view text) noexcept {
  const std::size_t close = text.find(']');
  if (close == text.npos || close < 2) return false;
  const std::string_view address = text.substr(1, close - 1);
  const std::string_view rest = text.substr(close + 1);
  if (!all_are(kAddressCharacter, address)) return false;
  return rest.empty() || (rest[0] == ':' && is_port(rest.substr(1)));
}

// One pass, as every request's Host comes here: a name, then at most one colon and a port.
bool is_named_host(std::string_view text) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end && is(kNameCharacter, *at)) ++at;
  if (at == end) return true;
  const char* const port = at + 1;
  if (*at != ':' || at == text.data() || end - port > kPortDigitsMax) return false;
  for (at = port; at != end; ++at) {
    if (!is_digit(*at)) return false;
  }
  return true;
}

Refusal split_path(RequestHead& head, std::string_view text) noexcept {
  const std::size_t question = text.find('?');
  head.path = text.substr(0, question);
  head.query = question == text.npos ? std::string_view() : text.substr(question + 1);
  if (head.path.empty()) head.path = head.method == Method::options && head.query.empty() ? "*" : "/";
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
  if (target == "/") return head.path = target, head.query = {}, kAccepted;
  if (target.empty()) return kBadTarget;
  if (target.find('#') != target.npos) return bad_request("the request target has a fragment");
  if (target[0] == '/') return split_path(head, target);
  return target[0] == '*' ? split_asterisk(head) : split_absolute(head);
}

}  // namespace weft::http::protocol
