// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/countdown.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <cstdint>

namespace weft {

/// A counter that only goes down. At zero it wakes all waiters, and later waits return at once. It has the
/// names of std::latch, for fibers of any contexts and plain threads.
///
/// Writes before each count_down() are visible after a wait(). Destruction: allowed when no fiber or thread
/// waits; also right after a wait() has returned, even if the last count_down() has not returned yet.
///
///     weft::Latch ready(3);
class Latch {
 public:
  /// With `expected` 0 the latch is open from the start. BUG if negative.
  explicit constexpr Latch(std::int64_t expected, SourceLocation made_at = SourceLocation::current()) noexcept
      : countdown_(expected, made_at) {}

  /// Lowers the counter. BUG if it falls below zero, or if `count` is negative. Does not suspend.
  void count_down(std::int64_t count = 1, SourceLocation called_at = SourceLocation::current()) noexcept {
    if (count < 0) [[unlikely]]
      detail::Countdown::report_negative("a latch goes down only", count, called_at);
    countdown_.add(-count);
  }
  /// True if wait() would return at once. May be false while the last count_down() has not returned.
  [[nodiscard]] bool try_wait() const noexcept { return countdown_.settled(); }

  /// Waits until the counter is zero. Suspends unless it is zero. Cancellable: fails when the calling fiber
  /// is cancelled (Errc::cancelled) or at the deadline of the enclosing scope (Errc::timed_out). If the
  /// counter is zero it succeeds even after the deadline or a cancellation.
  Result<void> wait() noexcept { return wait_until(Deadline::never()); }
  /// The same with a deadline (Errc::timed_out).
  Result<void> wait_until(Deadline deadline) noexcept { return countdown_.wait_until(deadline); }
  /// Waits until the counter is zero. Neither a cancellation nor the deadline of a scope ends the wait.
  /// Suspends unless the counter is zero.
  void wait_uncancellable() noexcept { countdown_.wait_uncancellable(); }

  /// Lowers the counter, then waits like the form of wait() with the same suffix. The arrival counts even if
  /// the wait fails. Suspends.
  Result<void> arrive_and_wait(std::int64_t count = 1,
                               SourceLocation called_at = SourceLocation::current()) noexcept {
    count_down(count, called_at);
    return wait();
  }
  Result<void> arrive_and_wait_until(Deadline deadline, std::int64_t count = 1,
                                     SourceLocation called_at = SourceLocation::current()) noexcept {
    count_down(count, called_at);
    return wait_until(deadline);
  }
  void arrive_and_wait_uncancellable(std::int64_t count = 1,
                                     SourceLocation called_at = SourceLocation::current()) noexcept {
    count_down(count, called_at);
    wait_uncancellable();
  }

 private:
  detail::Countdown countdown_;
};

}  // namespace weft
