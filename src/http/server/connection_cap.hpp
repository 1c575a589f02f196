// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many connections a server has at a time. At the cap each acceptor keeps the one that it has just
// accepted, and takes no other: further clients wait in the kernel's queue, as long as the listener's backlog
// has room, and are served when a connection ends.
//
// Thread safety: any fiber. Lifetime: outlives whoever has a place.

#include "base/atomic.hpp"

#include <weft/semaphore.hpp>

#include <cstddef>
#include <functional>
#include <utility>

namespace weft::http::server {

/// One connection's, given back unless it is kept; or none.
class ConnectionPlace {
 public:
  explicit ConnectionPlace(Semaphore* places) noexcept : places_(places) {}
  ConnectionPlace(ConnectionPlace&& other) noexcept : places_(std::exchange(other.places_, nullptr)) {}
  ConnectionPlace& operator=(ConnectionPlace&&) = delete;
  ~ConnectionPlace() {
    if (places_ != nullptr) places_->release();
  }

  explicit operator bool() const noexcept { return places_ != nullptr; }
  void keep() noexcept { places_ = nullptr; }

 private:
  Semaphore* places_;
};

class ConnectionCap {
 public:
  /// 0: what the descriptor limit of the process allows now, see descriptors_for_connections().
  explicit ConnectionCap(std::size_t connections_max) noexcept;

  /// Waits for a place. None: the fiber was cancelled, or `gives_up()`, which is asked now and then. Says
  /// that somebody has to wait. Suspends, if there is none.
  ConnectionPlace take(const std::function<bool()>& gives_up);
  /// A place that was kept. Suspends: no.
  void give_back() noexcept { places_.release(); }

 private:
  void say_that_it_is_full();

  const std::size_t max_;
  Semaphore places_;
  /// It was said, and there was no free place since.
  Atomic<bool> said_{false};
};

/// The soft limit of open files, less an eighth of it, and at least 64, for all else that a server opens.
std::size_t descriptors_for_connections() noexcept;

}  // namespace weft::http::server
