// SPDX-License-Identifier: Apache-2.0
#include "http/server/connection_cap.hpp"

#include "base/limited_log.hpp"

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
      free_(max_) {}

Result<bool> ConnectionCap::take() {
  if (free_.try_acquire()) [[likely]]
    return true;
  full_log.write(
      {"weft: the server has ", std::to_string(max_),
       " connections, as many as it may (http::Limits::connections_max); others wait until one ends"});
  return wait();
}

Result<bool> ConnectionCap::wait() {
  const Deadline look = Deadline::after(kLookInterval);
  const Result<void> got = free_.acquire_until(look);
  if (got) return true;
  if (got.error() == make_error_code(Errc::timed_out) && look.passed()) return false;
  return got.error();
}

}  // namespace weft::http::server
