// SPDX-License-Identifier: Apache-2.0
#include "http/server/connection_cap.hpp"

#include "base/limited_log.hpp"

#include <weft/cancel_scope.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <unistd.h>

namespace weft::http::server {
namespace {

/// A client chooses how many connections there are.
constinit LimitedLog full_log;

/// How often somebody who waits looks whether the server stops.
constexpr std::chrono::milliseconds kLookInterval{50};
constexpr std::size_t kReserveMin = 64;

}  // namespace

std::size_t descriptors_for_connections() noexcept {
  const long limit = ::sysconf(_SC_OPEN_MAX);  // the soft limit of the moment
  if (limit <= 0) return Semaphore::max();     // there is none
  const auto files = static_cast<std::size_t>(limit);
  const std::size_t reserve = std::max(files / 8, kReserveMin);
  return files > 2 * reserve ? files - reserve : std::max<std::size_t>(files / 2, 1);
}

ConnectionCap::ConnectionCap(std::size_t connections_max) noexcept
    : max_(connections_max == 0 ? descriptors_for_connections()
                                : std::min(connections_max, Semaphore::max())),
      places_(max_) {}

ConnectionPlace ConnectionCap::take(const std::function<bool()>& gives_up) {
  if (places_.try_acquire()) [[likely]] {
    if (said_.load(relaxed)) said_.store(false, relaxed);
    return ConnectionPlace(&places_);
  }
  if (!said_.exchange(true, relaxed)) say_that_it_is_full();
  while (!gives_up()) {
    const Deadline look = Deadline::after(kLookInterval);
    // A drain ends the scope around it, and has the connection served that was accepted.
    if (shield([&] { return places_.acquire_until(look); })) return ConnectionPlace(&places_);
  }
  return ConnectionPlace(nullptr);
}

void ConnectionCap::say_that_it_is_full() {
  full_log.write({"weft: the server has as many connections as it may, ", std::to_string(max_),
                  " (http::Limits::connections_max); others wait until one ends"});
}

}  // namespace weft::http::server
