// SPDX-License-Identifier: Apache-2.0
#include <weft/net/unix_address.hpp>

#include "net/unix_sockaddr.hpp"

#include <algorithm>
#include <cstddef>
#include <sys/un.h>

namespace weft::net {
namespace {

constexpr std::size_t kNameAt = offsetof(sockaddr_un, sun_path);
static_assert(sizeof(sockaddr_un::sun_path) == UnixAddress::kSizeMax + 1);

std::string printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string printed;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      printed += c;
    } else {
      printed += "\\x";
      printed += kDigits[byte >> 4];
      printed += kDigits[byte & 15];
    }
  }
  return printed;
}

}  // namespace

Result<UnixAddress> UnixAddress::path(std::string_view path) {
  if (path.empty() || path.size() > kSizeMax || path.find('\0') != std::string_view::npos)
    return Errc::invalid_address;
  return UnixAddress(false, path);
}

Result<UnixAddress> UnixAddress::abstract(std::string_view name) {
  if (name.empty() || name.size() > kSizeMax) return Errc::invalid_address;
  return UnixAddress(true, name);
}

Result<UnixAddress> UnixAddress::parse(std::string_view text) {
  return text.starts_with('@') ? abstract(text.substr(1)) : path(text);
}

std::string UnixAddress::to_string() const {
  if (is_unnamed()) return "unnamed";
  return (abstract_ ? "@" : "") + printable(name_);
}

sys::RawAddress to_raw(const UnixAddress& address) noexcept {
  sockaddr_un raw{};
  raw.sun_family = AF_UNIX;
  const std::string_view name = address.name();
  // Of an abstract name the first byte is NUL; a path ends with one.
  char* const to = raw.sun_path + (address.is_abstract() ? 1 : 0);
  std::copy(name.begin(), name.end(), to);
  return {raw, static_cast<socklen_t>(kNameAt + name.size() + (address.is_unnamed() ? 0 : 1))};
}

Result<UnixAddress> unix_from_raw(const sys::RawAddress& raw) {
  if (raw.family() != AF_UNIX) return Errc::invalid_address;
  const auto address = raw.as<sockaddr_un>();
  const std::size_t size =
      raw.size() <= kNameAt ? 0 : std::min(raw.size() - kNameAt, sizeof(address.sun_path));
  std::string_view name(address.sun_path, size);
  if (name.empty()) return UnixAddress();
  if (name.front() == '\0') return name.size() == 1 ? UnixAddress() : UnixAddress::abstract(name.substr(1));
  return UnixAddress::path(name.substr(0, name.find('\0')));
}

}  // namespace weft::net
