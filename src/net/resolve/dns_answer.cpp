// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/dns_answer.hpp"

#include "net/sockaddr.hpp"
#include "sys/errors.hpp"

#include <algorithm>
#include <ares.h>
#include <cstring>
#include <limits>

namespace weft::net {
namespace {

/// RFC 1035: a week is as long as anything needs to be kept.
constexpr int kTtlMax = 7 * 24 * 3600;

std::optional<IpAddress> address_of_node(const ares_addrinfo_node& node) {
  sockaddr_storage storage{};
  std::memcpy(&storage, node.ai_addr, std::min<std::size_t>(node.ai_addrlen, sizeof(storage)));
  const Result<SocketAddress> address = from_raw(sys::RawAddress(storage, node.ai_addrlen));
  if (!address) return {};
  return address->ip();
}

}  // namespace

NameAnswer answer_of(const ares_addrinfo& found) {
  NameAnswer answer;
  int ttl = kTtlMax;
  for (const auto* node = found.nodes; node != nullptr; node = node->ai_next) {
    const std::optional<IpAddress> address = address_of_node(*node);
    if (!address) continue;
    answer.addresses.push_back(*address);
    ttl = std::min(ttl, node->ai_ttl);
  }
  for (const auto* alias = found.cnames; alias != nullptr; alias = alias->next)
    ttl = std::min(ttl, alias->ttl);
  answer.ttl = std::chrono::seconds(std::max(ttl, 0));
  return answer;
}

std::error_code error_of_ares(int status) noexcept {
  switch (status) {
    case ARES_ENODATA: return NameErrc::no_address;
    case ARES_ENOTFOUND: return NameErrc::not_found;
    case ARES_ESERVFAIL:
    case ARES_ENOTIMP: return NameErrc::server_failure;
    case ARES_EREFUSED:
    case ARES_ECONNREFUSED: return NameErrc::refused;
    case ARES_ETIMEOUT: return NameErrc::no_reply;
    case ARES_EFORMERR:
    case ARES_EBADRESP:
    case ARES_EBADNAME: return NameErrc::malformed_reply;
    case ARES_ENOMEM: return sys::error_of(ENOMEM);
    case ARES_ECANCELLED:
    case ARES_EDESTRUCTION: return Errc::cancelled;
    case ARES_EFILE:
    case ARES_EBADSTR:
    case ARES_EBADFLAGS: return NameErrc::bad_configuration;
    default: return NameErrc::server_failure;
  }
}

int family_of(AddressFamily family) noexcept {
  switch (family) {
    case AddressFamily::kV4: return AF_INET;
    case AddressFamily::kV6: return AF_INET6;
    default: return AF_UNSPEC;
  }
}

}  // namespace weft::net
