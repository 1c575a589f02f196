// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::http::server {

/// For how long the bytes of one body were waited for. Only the time of reads counts: a handler that takes
/// its time between them is none of the client's business. Not thread-safe.
struct BodyPace {
  std::int64_t began_ns = 0;   ///< the read that is going on
  std::int64_t waited_ns = 0;  ///< in those before
  std::uint64_t size = 0;      ///< that they have brought

  void received(std::size_t bytes, std::int64_t now_ns) noexcept {
    waited_ns += now_ns - began_ns;
    size += bytes;
  }
};

}  // namespace weft::http::server
