// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/raw_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>

namespace weft::sys {

/// An address for messages, in plain memory.
class AddressText {
 public:
  explicit AddressText(const RawAddress& address) noexcept {
    if (address.family() == AF_INET) {
      const auto v4 = address.as<sockaddr_in>();
      ::inet_ntop(AF_INET, &v4.sin_addr, host_, sizeof(host_));
      port_ = ntohs(v4.sin_port);
    } else if (address.family() == AF_INET6) {
      const auto v6 = address.as<sockaddr_in6>();
      ::inet_ntop(AF_INET6, &v6.sin6_addr, host_, sizeof(host_));
      port_ = ntohs(v6.sin6_port);
    }
  }

  const char* host() const noexcept { return host_; }  ///< empty: neither IPv4 nor IPv6
  std::uint16_t port() const noexcept { return port_; }

 private:
  char host_[INET6_ADDRSTRLEN] = "";
  std::uint16_t port_ = 0;
};

/// "127.0.0.1:3443", "[::1]:3443"; empty if it is neither IPv4 nor IPv6.
inline std::string address_text(const RawAddress& address) {
  const AddressText text(address);
  if (text.host()[0] == 0) return {};
  std::string host = text.host();
  if (address.family() == AF_INET6) host = '[' + host + ']';
  return host + ':' + std::to_string(text.port());
}

}  // namespace weft::sys
