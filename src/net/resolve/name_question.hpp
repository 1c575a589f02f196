// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the parts of the resolver say to each other: docs/design/names.md.

#include <weft/net/resolver.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace weft::net {

struct NameQuestion {
  std::string name;  ///< valid, in lower case
  AddressFamily family = AddressFamily::kAny;
};

struct NameAnswer {
  std::vector<IpAddress> addresses;  ///< at least one, the best first
  std::chrono::seconds ttl{0};       ///< for how long they may be kept
};

inline bool is_wanted(const IpAddress& address, AddressFamily family) noexcept {
  return family == AddressFamily::kAny || address.is_v4() == (family == AddressFamily::kV4);
}

}  // namespace weft::net
