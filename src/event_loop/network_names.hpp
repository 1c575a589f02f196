// SPDX-License-Identifier: Apache-2.0
#pragma once

// The names of a simulated world.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <system_error>
#include <vector>

namespace weft {

/// What is said when one family of a name's addresses is asked for.
struct NetworkAddresses {
  std::vector<std::string> addresses = {};  ///< as text; empty: there are none of this family
  std::int64_t delay_ns = 0;                ///< until the answer comes
  std::error_code error = {};               ///< the answer, if it is not the addresses
};

struct NetworkName {
  NetworkAddresses v6 = {};
  NetworkAddresses v4 = {};
};

using NetworkNames = std::map<std::string, NetworkName, std::less<>>;

}  // namespace weft
