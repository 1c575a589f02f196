// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many connections a server has at a time. At the cap nobody accepts: further clients wait in the
// kernel's queue, as long as the listener's backlog has room, and are served when a connection ends.
//
// Thread safety: any fiber. Lifetime: outlives whoever has a place.

#include <weft/result.hpp>
#include <weft/semaphore.hpp>

#include <cstddef>

namespace weft::http::server {

class ConnectionCap {
 public:
  /// 0: what the descriptor limit of the process allows now, see descriptors_for_connections().
  explicit ConnectionCap(std::size_t connections_max) noexcept;

  /// Waits for a place, for a moment at most: false if there was none. Says now and then that there is none.
  /// Fails if the fiber was cancelled. Suspends, if it has to.
  Result<bool> take();
  /// A connection has ended, or none came. Suspends: no.
  void give_back() noexcept { free_.release(); }

 private:
  Result<bool> wait();

  const std::size_t max_;
  Semaphore free_;
};

/// The soft limit of open files, less an eighth of it, and at least 64, for all else that a server opens.
std::size_t descriptors_for_connections() noexcept;

}  // namespace weft::http::server
