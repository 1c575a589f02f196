// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft {

/// What a simulated network does to datagrams of IP. Those of Unix sockets are never lost, as on Linux.
struct SimDatagramOptions {
  std::uint32_t loss_percent = 0;       ///< how many in a hundred never arrive
  std::uint32_t duplicate_percent = 0;  ///< how many arrive twice
  /// How many are late, and so may come behind those that were sent after them. All others keep their order.
  std::uint32_t reorder_percent = 0;
  std::int64_t reorder_delay_ns = 1'000'000;  ///< how late at most
  /// The greatest datagram that can be sent, in bytes; a greater one is refused with EMSGSIZE.
  std::size_t size_max = 65507;
  /// The bytes that a socket holds until they are received. What does not fit any more is dropped, as on
  /// Linux. SO_RCVBUF changes it.
  std::size_t queue_size = 212'992;
};

}  // namespace weft
