// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft {

/// What of the peer of a connection is waited for, or ends a scope.
enum class PeerEnd : std::uint8_t {
  /// It has finished sending: it has closed, shut down its sending side, or reset the connection. TCP does
  /// not
  /// tell the first two apart: a peer that shuts down its sending side may still read.
  kFinished,
  /// The connection was reset, has failed, or both sides have finished sending.
  kReset,
};

}  // namespace weft
