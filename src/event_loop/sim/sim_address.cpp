// SPDX-License-Identifier: Apache-2.0
#include "event_loop/sim/sim_address.hpp"

#include "sys/errors.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>
#include <sys/un.h>

namespace weft {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const SimAddress& address) noexcept {
  return address.v6 && std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.ip.begin());
}

constexpr std::size_t kNameAt = offsetof(sockaddr_un, sun_path);

// A path ends at its first zero byte, an abstract name where the address does.
Result<SimAddress> from_unix(const sys::RawAddress& raw) {
  if (raw.size() > sizeof(sockaddr_un)) return sys::error_of(EINVAL);
  const auto unix_address = raw.as<sockaddr_un>();
  SimAddress address;
  address.local = true;
  address.name.assign(unix_address.sun_path, raw.size() < kNameAt ? 0 : raw.size() - kNameAt);
  if (!address.name.empty() && address.name.front() != '\0')
    address.name.resize(address.name.find('\0') == std::string::npos ? address.name.size()
                                                                     : address.name.find('\0'));
  return address;
}

sys::RawAddress to_unix(const std::string& name) noexcept {
  sockaddr_un raw{};
  raw.sun_family = AF_UNIX;
  std::copy_n(name.data(), std::min(name.size(), sizeof(raw.sun_path)), raw.sun_path);
  const bool is_path = !name.empty() && name.front() != '\0';
  return {raw, static_cast<socklen_t>(std::min(kNameAt + name.size() + (is_path ? 1 : 0), sizeof(raw)))};
}

std::string name_text(const std::string& name) {
  if (name.empty()) return "unnamed";
  return name.front() == '\0' ? "@" + name.substr(1) : name;
}

}  // namespace

Result<SimAddress> SimAddress::from_raw(const sys::RawAddress& raw) noexcept {
  if (raw.family() == AF_UNIX) return from_unix(raw);
  SimAddress address;
  if (raw.family() == AF_INET) {
    if (raw.size() < sizeof(sockaddr_in)) return sys::error_of(EINVAL);
    const auto v4 = raw.as<sockaddr_in>();
    std::memcpy(address.ip.data(), &v4.sin_addr, sizeof(v4.sin_addr));
    address.port = ntohs(v4.sin_port);
  } else if (raw.family() == AF_INET6) {
    if (raw.size() < sizeof(sockaddr_in6)) return sys::error_of(EINVAL);
    const auto v6 = raw.as<sockaddr_in6>();
    std::memcpy(address.ip.data(), &v6.sin6_addr, sizeof(v6.sin6_addr));
    address.port = ntohs(v6.sin6_port);
    address.v6 = true;
  } else {
    return sys::error_of(EAFNOSUPPORT);
  }
  return address;
}

sys::RawAddress SimAddress::to_raw() const noexcept {
  if (local) return to_unix(name);
  if (v6) {
    sockaddr_in6 raw{};
    raw.sin6_family = AF_INET6;
    raw.sin6_port = htons(port);
    std::memcpy(&raw.sin6_addr, ip.data(), sizeof(raw.sin6_addr));
    return sys::RawAddress(raw);
  }
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  raw.sin_port = htons(port);
  std::memcpy(&raw.sin_addr, ip.data(), sizeof(raw.sin_addr));
  return sys::RawAddress(raw);
}

bool SimAddress::is_broadcast() const noexcept {
  return !local && !v6 &&
         std::all_of(ip.begin(), ip.begin() + 4, [](std::uint8_t byte) { return byte == 255; });
}

SimAddress SimAddress::or_loopback() const noexcept {
  if (!is_any()) return *this;
  SimAddress address = *this;
  if (v6) {
    address.ip[15] = 1;
  } else {
    address.ip[0] = 127;
    address.ip[3] = 1;
  }
  return address;
}

SimAddress SimAddress::mapped() const noexcept {
  if (v6 || local) return *this;
  SimAddress address = *this;
  address.v6 = true;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.ip.begin());
  std::copy(ip.begin(), ip.begin() + 4, address.ip.begin() + kMappedPrefix.size());
  return address;
}

SimAddress SimAddress::unmapped() const noexcept {
  if (!is_mapped(*this)) return *this;
  SimAddress address;
  address.port = port;
  std::copy(ip.begin() + kMappedPrefix.size(), ip.end(), address.ip.begin());
  return address;
}

std::string SimAddress::to_string() const {
  if (local) return name_text(name);
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(v6 ? AF_INET6 : AF_INET, ip.data(), text, sizeof(text));
  const std::string host = v6 ? "[" + std::string(text) + "]" : std::string(text);
  return host + ":" + std::to_string(port);
}

}  // namespace weft
