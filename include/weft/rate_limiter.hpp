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

/// A token bucket. It holds at most `burst` permits, is full at first, and gains permits at `rate`. A call
/// takes permits, and waits while there are too few.
///
/// The algorithm is GCRA (ITU-T I.371), which keeps a token bucket as one number: the time at which the
/// bucket is full again. The number is exact, in integers. The limiter never grants more than the burst and
/// the permits of the rate since it was made. It does not grant less either: permits count from the time of
/// the request, so a fiber that is woken late does not lower the rate. (After such a delay the waiters get
/// all permits that came due meanwhile at once, which may be more than the burst.) The names follow
/// golang.org/x/time/rate, but there are no reservations: a waiter takes its permits when its turn comes.
///
/// Fair: waiters get permits in the order of their calls, and a later call never overtakes a waiter, even if
/// it needs fewer permits. Cancellation and deadlines: a call that fails has taken no permit, and the waiters
/// behind it move up.
///
/// Thread safety: any fiber or plain thread with the same clock may call every method except the destructor;
/// a limiter made in a simulation belongs to that simulation. Destruction: BUG if a fiber or thread waits. A
/// caller that has got its permits may destroy the limiter at once.
///
///     weft::RateLimiter limiter(100, 10);               // 100 a second, ten at once
///     if (auto got = limiter.acquire(); !got) return got;
///     weft::RateLimiter slow({30, 1min}, 1);            // 30 a minute, evenly
class RateLimiter {
 public:
  /// Throws std::invalid_argument if `burst` is zero or above burst_max(), std::bad_alloc, and the exceptions
  /// of Rate.
  RateLimiter(Rate rate, std::size_t burst);
  ~RateLimiter();
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  /// Takes `permits`. Suspends while there are too few, or others wait; blocks a plain thread. Zero permits
  /// are granted at once. Errors: std::errc::invalid_argument if `permits` is above the burst, because that
  /// would wait for ever; Errc::cancelled if the fiber or the enclosing scope is cancelled; Errc::timed_out
  /// at the deadline of that scope. Available permits are taken even after the deadline or a cancellation,
  /// for a bounded number of times in a row.
  Result<void> acquire(std::size_t permits = 1) noexcept { return acquire_until(Deadline::never(), permits); }
  /// The same with a deadline: Errc::timed_out. It waits until the deadline even if the permits will probably
  /// come later, because waiters in front of it may give up.
  Result<void> acquire_until(Deadline deadline, std::size_t permits = 1) noexcept;
  /// Takes `permits` if they are available and no fiber or thread waits. Does not suspend. False if `permits`
  /// is above the burst.
  [[nodiscard]] bool try_acquire(std::size_t permits = 1) noexcept;

  /// The number of available permits; zero while a fiber or thread waits. Only a hint while others use the
  /// limiter.
  std::size_t available() const noexcept;
  std::size_t burst() const noexcept;
  Rate rate() const noexcept;
  static constexpr std::size_t burst_max() noexcept { return std::size_t{1} << 62; }

 private:
  detail::RateLimiterCore* core_ = nullptr;  // written by the destructor only
};

}  // namespace weft
