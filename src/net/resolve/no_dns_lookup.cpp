// SPDX-License-Identifier: Apache-2.0
// In place of dns_lookup.cpp where weft is built without c-ares.
#include "net/resolve/dns_lookup.hpp"

namespace weft::net {

class DnsChannel {};

bool has_dns() noexcept { return false; }

DnsLookup::DnsLookup(const ResolverOptions& options) : options_(options), turns_(1) {}
DnsLookup::~DnsLookup() = default;

Result<NameAnswer> DnsLookup::look_up(const NameQuestion&, Deadline) {
  static_cast<void>(options_);
  return Errc::unsupported;
}

}  // namespace weft::net
