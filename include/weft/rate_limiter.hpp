// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/rate.hpp>
#include <weft/result.hpp>

#include <cstddef>

namespace weft {

namespace detail {
class RateLimiterCore;  // src/sync/time/rate_limiter_core.hpp
}

/// A token bucket: it holds `burst` permits at most, is full at first, and gains permits at `rate`. A call
/// takes permits out, and waits while there are too few.
///
/// The algorithm is GCRA (ITU-T I.371), which is a token bucket in one number: the time at which the bucket
/// is full again. It is kept exactly, in integers. No more is ever granted than the burst and what the rate
/// gives in the time since the limiter was made; and no less, while permits are asked for in time: they count
/// from the moment they were asked for, so a fiber that is woken late does not lower the rate. (After such a
/// delay those that have waited get at once what came due meanwhile, which may be more than the burst.) The
/// names follow golang.org/x/time/rate; but nobody holds a reservation: permits are taken when its turn
/// comes.
///
/// Fair: those who wait get their permits in their order, and nobody takes any past them, however few it
/// needs. Cancellation and deadlines: a call that fails has taken nothing, and those behind it move up.
///
/// Thread safety: all methods but the destructor, any fiber or plain thread with the same clock: a simulation
/// has limiters of its own. Destruction: nobody may wait (BUG); one that has got its permits may destroy the
/// limiter at once.
///
///     weft::RateLimiter limiter(100, 10);               // 100 a second, ten at once
///     if (auto got = limiter.acquire(); !got) return got;
///     weft::RateLimiter slow({30, 1min}, 1);            // 30 a minute, evenly
class RateLimiter {
 public:
  /// Throws std::invalid_argument for a burst of zero or above burst_max(), std::bad_alloc; and what Rate
  /// throws.
  RateLimiter(Rate rate, std::size_t burst);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  /// Takes `permits`, one without a number. Suspends while there are too few, or others wait; blocks a plain
  /// thread. std::errc::invalid_argument for more than the burst, which would wait for ever. Errc::cancelled
  /// if the fiber or the scope around the call is cancelled, Errc::timed_out at the deadline of that scope.
  /// Permits that are there are taken also after the deadline or a cancel, for a bounded number of times in a
  /// row. Zero permits are had at once.
  Result<void> acquire(std::size_t permits = 1) noexcept { return acquire_until(Deadline::never(), permits); }
  /// The same, given up also at the deadline: Errc::timed_out. It waits to the deadline even if it can be
  /// foreseen that the permits will not be there by then: those in front may give up.
  Result<void> acquire_until(Deadline deadline, std::size_t permits = 1) noexcept;
  /// Takes `permits` if they are there and nobody waits. Does not suspend. False also for more than the
  /// burst.
  [[nodiscard]] bool try_acquire(std::size_t permits = 1) noexcept;

  /// How many permits are there now; none while somebody waits. Only a hint when others use it too.
  std::size_t available() const noexcept;
  std::size_t burst() const noexcept;
  Rate rate() const noexcept;
  static constexpr std::size_t burst_max() noexcept { return std::size_t{1} << 62; }

 private:
  detail::RateLimiterCore* core_ = nullptr;  // written by the destructor only
};

}  // namespace weft
