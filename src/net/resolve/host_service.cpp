// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/host_service.hpp"

#include "net/address_text.hpp"

#include <weft/net/name_error.hpp>

#include <algorithm>
#include <array>
#include <netdb.h>

namespace weft::net {
namespace {

constexpr std::size_t kNameSizeMax = 253;
constexpr std::size_t kLabelSizeMax = 63;
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kNameLetters = "0123456789abcdefghijklmnopqrstuvwxyz-_";

bool consists_of(std::string_view text, std::string_view letters) noexcept {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

std::string lowered(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

/// A name never ends in a number: "127.1" and "0x7f.1" are addresses to some programs.
bool is_number(std::string_view label) noexcept {
  if (consists_of(label, kDigits)) return true;
  return label.starts_with("0x") && consists_of(label.substr(2), kHexDigits);
}

/// REQUIRES: in lower case.
bool is_name(std::string_view name) noexcept {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kNameSizeMax) return false;
  std::string_view label;
  for (std::size_t begin = 0; begin <= name.size(); begin += label.size() + 1) {
    label = name.substr(begin, name.find('.', begin) - begin);
    if (label.empty() || label.size() > kLabelSizeMax || !consists_of(label, kNameLetters)) return false;
    if (label.front() == '-' || label.back() == '-') return false;
  }
  return !is_number(label);
}

struct KnownService {
  std::string_view name;
  std::uint16_t port;
};

/// Those that most programs use: a system without /etc/services (Debian's netbase) knows them, too.
constexpr std::array<KnownService, 12> kKnownServices = {{{"http", 80},
                                                          {"https", 443},
                                                          {"domain", 53},
                                                          {"ftp", 21},
                                                          {"imap", 143},
                                                          {"imaps", 993},
                                                          {"ntp", 123},
                                                          {"postgresql", 5432},
                                                          {"redis", 6379},
                                                          {"smtp", 25},
                                                          {"ssh", 22},
                                                          {"telnet", 23}}};

std::optional<std::uint16_t> port_of_system(const std::string& name) noexcept {
  servent entry{};
  servent* found = nullptr;
  std::array<char, 1024> buffer{};
  if (::getservbyname_r(name.c_str(), nullptr, &entry, buffer.data(), buffer.size(), &found) != 0) return {};
  if (found == nullptr) return {};
  return ntohs(static_cast<std::uint16_t>(found->s_port));
}

}  // namespace

std::optional<HostService> split_host_service(std::string_view text) noexcept {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {};
  HostService parts{.host = text.substr(0, colon), .service = text.substr(colon + 1)};
  if (parts.service.empty()) return {};
  if (parts.host.starts_with('[')) {
    if (!parts.host.ends_with(']') || parts.host.find(':') == std::string_view::npos) return {};
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  } else if (parts.host.find(':') != std::string_view::npos) {
    return {};
  }
  return parts;
}

Result<Host> parse_host(std::string_view text) {
  const bool bracketed = text.size() >= 2 && text.front() == '[' && text.back() == ']';
  const std::string_view bare = bracketed ? text.substr(1, text.size() - 2) : text;
  if (const Result<IpAddress> address = IpAddress::parse(bare); address && (address->is_v6() || !bracketed))
    return Host{.address = *address, .name = {}};
  std::string name = lowered(text);
  if (!is_name(name)) return Errc::invalid_address;
  return Host{.address = {}, .name = std::move(name)};
}

Result<std::uint16_t> parse_service(std::string_view text) {
  if (text.empty()) return std::uint16_t{0};
  if (consists_of(text, kDigits)) {
    const std::optional<std::uint16_t> port = parse_port(text);
    if (!port) return Errc::invalid_address;
    return *port;
  }
  const auto* const known = std::find_if(kKnownServices.begin(), kKnownServices.end(),
                                         [&](const KnownService& each) { return each.name == text; });
  if (known != kKnownServices.end()) return known->port;
  const bool has_nul = text.find('\0') != std::string_view::npos;
  const std::optional<std::uint16_t> port = has_nul ? std::nullopt : port_of_system(std::string(text));
  if (!port) return NameErrc::unknown_service;
  return *port;
}

bool is_localhost(std::string_view name) noexcept {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name == "localhost" || name.ends_with(".localhost");
}

}  // namespace weft::net
