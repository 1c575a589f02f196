// SPDX-License-Identifier: Apache-2.0
#include "net/address_text.hpp"

#include <algorithm>
#include <charconv>
#include <net/if.h>

namespace weft::net {
namespace {

constexpr std::size_t kGroups = 8;
using Groups = std::array<std::uint16_t, kGroups>;

/// All of `text` as a number: digits only, at least one and at most `digits_max`. No sign, no space.
std::optional<std::uint32_t> parse_number(std::string_view text, int base, std::size_t digits_max,
                                          std::uint32_t value_max) noexcept {
  if (text.empty() || text.size() > digits_max) return {};
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, base);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value > value_max) return {};
  return value;
}

/// Cuts `text` at its first `separator`: what stands before it; none if there is no separator.
std::optional<std::string_view> take_until(std::string_view& text, char separator) noexcept {
  const std::size_t end = text.find(separator);
  if (end == std::string_view::npos) return {};
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(end + 1);
  return head;
}

/// One side of "::", or a whole address without it: at most eight groups, the last two perhaps as dotted
/// IPv4.
struct GroupList {
  Groups groups{};
  std::size_t size = 0;

  bool add(std::optional<std::uint32_t> value) noexcept {
    if (!value || size == kGroups) return false;
    groups[size++] = static_cast<std::uint16_t>(*value);
    return true;
  }
};

bool add_dotted(GroupList& list, std::string_view text) noexcept {
  const std::optional<IpAddress::V4Bytes> bytes = parse_v4(text);
  if (!bytes) return false;
  const auto& [a, b, c, d] = *bytes;
  return list.add((std::uint32_t{a} << 8) | b) && list.add((std::uint32_t{c} << 8) | d);
}

bool add_last(GroupList& list, std::string_view text, bool dotted_allowed) noexcept {
  if (dotted_allowed && text.find('.') != std::string_view::npos) return add_dotted(list, text);
  return list.add(parse_number(text, 16, 4, 0xffff));
}

std::optional<GroupList> parse_groups(std::string_view text, bool dotted_allowed) noexcept {
  GroupList list;
  if (text.empty()) return list;
  while (const auto group = take_until(text, ':')) {
    if (!list.add(parse_number(*group, 16, 4, 0xffff))) return {};
  }
  if (!add_last(list, text, dotted_allowed)) return {};
  return list;
}

IpAddress::V6Bytes to_bytes(const Groups& groups) noexcept {
  IpAddress::V6Bytes bytes{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    bytes[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    bytes[2 * i + 1] = static_cast<std::uint8_t>(groups[i] & 0xff);
  }
  return bytes;
}

Groups to_groups(const IpAddress::V6Bytes& bytes) noexcept {
  Groups groups{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    groups[i] = static_cast<std::uint16_t>(bytes[2 * i] << 8 | bytes[2 * i + 1]);
  }
  return groups;
}

std::optional<IpAddress::V6Bytes> parse_v6_bytes(std::string_view text) noexcept {
  const std::size_t gap = text.find("::");
  if (gap == std::string_view::npos) {
    const std::optional<GroupList> all = parse_groups(text, true);
    if (!all || all->size != kGroups) return {};
    return to_bytes(all->groups);
  }
  const std::optional<GroupList> head = parse_groups(text.substr(0, gap), false);
  const std::optional<GroupList> tail = parse_groups(text.substr(gap + 2), true);
  if (!head || !tail || head->size + tail->size >= kGroups) return {};  // "::" stands for one group at least
  Groups groups = head->groups;
  std::copy_n(tail->groups.begin(), tail->size, groups.end() - static_cast<std::ptrdiff_t>(tail->size));
  return to_bytes(groups);
}

/// An interface's index, or its name as the kernel knows it. 0 would mean "no scope": refused.
std::optional<std::uint32_t> parse_scope(std::string_view text) {
  const bool numeric = text.find_first_not_of("0123456789") == std::string_view::npos;
  std::optional<std::uint32_t> scope;
  if (numeric) {
    scope = parse_number(text, 10, 10, 0xffff'ffff);
  } else if (text.size() < IF_NAMESIZE && text.find('\0') == std::string_view::npos) {
    scope = ::if_nametoindex(std::string(text).c_str());
  }
  if (scope == 0u) return {};
  return scope;
}

struct Run {
  std::size_t begin = 0;
  std::size_t size = 0;
};

/// The groups that "::" shall stand for: the longest run of zeros, the first of equals; a single zero is
/// written out (RFC 5952, 4.2).
Run longest_zero_run(const Groups& groups) noexcept {
  Run longest;
  for (std::size_t begin = 0; begin < kGroups; ++begin) {
    std::size_t end = begin;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - begin > longest.size) longest = {begin, end - begin};
  }
  return longest.size >= 2 ? longest : Run{kGroups, 0};
}

void append_hex(std::string& text, std::uint16_t group) {
  char digits[4];
  const auto end = std::to_chars(digits, digits + sizeof(digits), group, 16).ptr;
  text.append(digits, end);
}

void append_groups(std::string& text, const Groups& groups, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    if (i != begin) text += ':';
    append_hex(text, groups[i]);
  }
}

}  // namespace

std::optional<IpAddress::V4Bytes> parse_v4(std::string_view text) noexcept {
  IpAddress::V4Bytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool last = i + 1 == bytes.size();
    const std::optional<std::string_view> part = last ? text : take_until(text, '.');
    if (!part || (part->size() > 1 && part->front() == '0')) return {};
    const std::optional<std::uint32_t> value = parse_number(*part, 10, 3, 255);
    if (!value) return {};
    bytes[i] = static_cast<std::uint8_t>(*value);
  }
  return bytes;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
  std::optional<std::uint32_t> scope = 0;
  if (const std::size_t percent = text.find('%'); percent != std::string_view::npos) {
    scope = parse_scope(text.substr(percent + 1));
    text = text.substr(0, percent);
  }
  const std::optional<IpAddress::V6Bytes> bytes = parse_v6_bytes(text);
  if (!bytes || !scope) return std::nullopt;
  return IpAddress::v6(*bytes, *scope);
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  const std::optional<std::uint32_t> port = parse_number(text, 10, 5, 0xffff);
  if (!port) return {};
  return static_cast<std::uint16_t>(*port);
}

void append_v4(std::string& text, std::span<const std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0) text += '.';
    text += std::to_string(bytes[i]);
  }
}

void append_v6(std::string& text, const IpAddress::V6Bytes& bytes) {
  if (IpAddress::v6(bytes).is_v4_mapped()) {
    text += "::ffff:";
    return append_v4(text, std::span(bytes).last(4));
  }
  const Groups groups = to_groups(bytes);
  const Run zeros = longest_zero_run(groups);
  append_groups(text, groups, 0, zeros.begin);
  if (zeros.size == 0) return;
  text += "::";
  append_groups(text, groups, zeros.begin + zeros.size, kGroups);
}

}  // namespace weft::net
