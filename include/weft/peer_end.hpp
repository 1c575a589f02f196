// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft {

/// What counts as the end of a connection's peer, for a wait or a scope.
enum class PeerEnd : std::uint8_t {
  /// The peer has finished sending: it has closed the connection, shut down its sending side, or reset the
  /// connection. TCP does not tell the first two apart. A peer that shuts down its sending side may still
  /// read.
  kFinished,
  /// The connection was reset or has failed, or both sides have finished sending.
  kReset,
};

}  // namespace weft
