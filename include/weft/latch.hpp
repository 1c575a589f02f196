// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/countdown.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <cstdint>

namespace weft {

/// A counter that only goes down, once; at zero all that wait go on, and nobody waits any more. The names of
/// std::latch, for fibers of any contexts and plain threads.
///
/// What was done before each count_down() is seen after a wait(). Destruction: when nobody waits; also right
/// after a wait(), while the last count_down() is still on its way out.
///
///     weft::Latch ready(3);
class Latch {
 public:
  /// Open from the start if nobody is expected. BUG below zero.
  explicit constexpr Latch(std::int64_t expected, SourceLocation made_at = SourceLocation::current()) noexcept
      : countdown_(expected, made_at) {}

  /// Lowers the counter. BUG below zero, and if `count` is negative. Suspends: no.
  void count_down(std::int64_t count = 1, SourceLocation called_at = SourceLocation::current()) noexcept {
    if (count < 0) [[unlikely]]
      detail::Countdown::report_negative("a latch goes down only", count, called_at);
    countdown_.add(-count);
  }
  /// Whether wait() would return at once. May say no while the last count_down() is on its way out.
  [[nodiscard]] bool try_wait() const noexcept { return countdown_.settled(); }

  /// Waits until the counter is zero. Suspends, unless it is. Cancellable: gives up when the calling fiber is
  /// cancelled (Errc::cancelled) or at the deadline of the scope around it (Errc::timed_out). Success at zero
  /// also after the deadline or a cancel.
  Result<void> wait() noexcept { return wait_until(Deadline::never()); }
  /// The same, given up also at the deadline (Errc::timed_out).
  Result<void> wait_until(Deadline deadline) noexcept { return countdown_.wait_until(deadline); }
  /// Waits until the counter is zero, however long that takes: neither a cancel nor a scope's deadline ends
  /// the wait. Suspends, unless it is zero.
  void wait_uncancellable() noexcept { countdown_.wait_uncancellable(); }

  /// Lowers the counter, then waits, as the form of wait() with the same ending. The arrival counts, also if
  /// the wait is given up. Suspends.
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
