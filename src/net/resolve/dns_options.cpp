// SPDX-License-Identifier: Apache-2.0
#include "net/resolve/dns_options.hpp"

#include <algorithm>
#include <limits>

namespace weft::net {
namespace {

/// What passes through the Internet without being cut into fragments (DNS flag day 2020).
constexpr int kEdnsSize = 1232;

}  // namespace

DnsOptions::DnsOptions(const ResolverOptions& options)
    : resolv_conf_(options.resolv_conf), search_(options.search.value_or(std::vector<std::string>())) {
  using std::chrono::milliseconds;
  const auto longest = milliseconds(std::numeric_limits<int>::max() / 1000);
  raw.flags = ARES_FLAG_EDNS;
  raw.ednspsz = kEdnsSize;
  raw.timeout = static_cast<int>(std::clamp(options.timeout, milliseconds(1), longest).count());
  raw.tries = std::clamp(options.tries, 1, 100);
  raw.lookups = lookups_.data();
  mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS;
  if (!resolv_conf_.empty()) {
    raw.resolvconf_path = resolv_conf_.data();
    mask |= ARES_OPT_RESOLVCONF;
  }
  if (options.search) {
    for (std::string& domain : search_) search_texts_.push_back(domain.data());
    raw.domains = search_texts_.data();
    raw.ndomains = static_cast<int>(search_texts_.size());
    mask |= ARES_OPT_DOMAINS;
  }
  if (options.dots_min) {
    raw.ndots = std::clamp(*options.dots_min, 0, 15);
    mask |= ARES_OPT_NDOTS;
  }
  for (const std::string& server : options.servers) servers.append(servers.empty() ? "" : ",").append(server);
}

}  // namespace weft::net
