// SPDX-License-Identifier: Apache-2.0
#pragma once

#if __has_include(<ares.h>)  // each header compiles alone, also without c-ares

#include <weft/net/resolver.hpp>

#include <ares.h>
#include <string>
#include <vector>

namespace weft::net {

/// The options of a channel, in the form that c-ares takes. Must stay where it is until the channel was made.
struct DnsOptions {
  explicit DnsOptions(const ResolverOptions& options);
  DnsOptions(const DnsOptions&) = delete;
  DnsOptions& operator=(const DnsOptions&) = delete;

  ares_options raw{};
  int mask = 0;
  std::string servers;  ///< for ares_set_servers_ports_csv(); empty: those of resolv.conf

 private:
  std::string lookups_ = "b";  // DNS only: the hosts file is read by us
  std::string resolv_conf_;
  std::vector<std::string> search_;
  std::vector<char*> search_texts_;
};

}  // namespace weft::net

#endif
