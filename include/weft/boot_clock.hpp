// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time that goes on while the machine is suspended.

#include <weft/cancel_token.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/duration_ns.hpp>
#include <weft/result.hpp>
#include <weft/this_fiber.hpp>
#include <weft/ticker.hpp>

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <memory>

namespace weft {

class BootScopeCore;

/// A point in time on the boot clock (CLOCK_BOOTTIME). A Deadline stands still while the machine is
/// suspended, and so a wait of an hour may take a day; a BootTime does not.
///
/// A value type. In a simulated world it is the virtual clock, whose machine is never suspended.
class BootTime {
 public:
  constexpr BootTime() noexcept = default;

  static BootTime now() noexcept;
  /// The default: compares greater than every other time.
  static constexpr BootTime never() noexcept { return {}; }
  /// Every duration is allowed, with the rules of Deadline::after().
  template <class Rep, class Period>
  static BootTime after(std::chrono::duration<Rep, Period> duration) {
    return after_ns(detail::saturated_ns(duration));
  }
  static BootTime after_ns(std::int64_t duration_ns) noexcept;
  static constexpr BootTime at_ns(std::int64_t time_ns) noexcept { return BootTime(time_ns); }

  constexpr std::int64_t time_ns() const noexcept { return time_ns_; }
  constexpr bool is_never() const noexcept { return time_ns_ == kNever; }
  bool passed() const noexcept;

  friend constexpr auto operator<=>(const BootTime&, const BootTime&) noexcept = default;

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  explicit constexpr BootTime(std::int64_t time_ns) noexcept : time_ns_(time_ns) {}

  std::int64_t time_ns_ = kNever;
};

/// Suspends the calling fiber until that time on the boot clock; blocks a plain thread. After the machine was
/// suspended for longer it returns at once. Errc::cancelled and Errc::timed_out as sleep_until(Deadline).
/// Errors of the kernel if it has no timer left. Costs more than sleep(): a lock of the process, and
/// sometimes a system call.
///
///     weft::sleep_on_boot_clock(24h);     // a day, also on a laptop that is closed at night
SleepResult sleep_until(BootTime time) noexcept;
template <class Rep, class Period>
SleepResult sleep_on_boot_clock(std::chrono::duration<Rep, Period> duration) {
  return sleep_until(BootTime::after(duration));
}

/// One tick of a BootTicker.
struct BootTick {
  BootTime due;              ///< the time at which it was due
  std::uint64_t missed = 0;  ///< the number of further ticks that had come due and are dropped
};

/// A Ticker on the boot clock: the ticks that came due while the machine was suspended are missed ones, which
/// MissedTicks says what to do with. Otherwise like Ticker.
class BootTicker {
 public:
  template <class Rep, class Period>
  explicit BootTicker(std::chrono::duration<Rep, Period> period, MissedTicks missed = MissedTicks::kSkip)
      : BootTicker(std::chrono::nanoseconds(detail::period_ns(period)), BootTime::after(period), missed) {}

  /// Returns the next tick. Suspends until it is due. Errors as Ticker::tick().
  Result<BootTick> tick() noexcept { return tick_until(Deadline::never()); }
  /// The same with a deadline on the ordinary clock: Errc::timed_out.
  Result<BootTick> tick_until(Deadline deadline) noexcept;
  /// Returns a tick that is due; otherwise Errc::would_block. Does not suspend.
  Result<BootTick> try_tick() noexcept;
  /// The time of the next tick, unless another call takes it meanwhile.
  BootTime next() const noexcept { return BootTime::at_ns(ticker_.next().time_ns()); }

 private:
  BootTicker(std::chrono::nanoseconds period, BootTime first, MissedTicks missed);

  Ticker ticker_;  // of times of the boot clock
};

/// A CancelScope whose deadline is on the boot clock: every cancellable wait in the block fails with
/// Errc::timed_out from that time on. Use it for what is really over then: a lease, a token, a reservation.
///
///     weft::BootScope lease(10min);
///     renew_or_work(...);
///
/// Making it allocates, and costs what sleep_until(BootTime) costs. Throws std::system_error if the kernel
/// has no timer left. Thread safety and nesting as CancelScope.
class BootScope {
 public:
  explicit BootScope(BootTime end);
  template <class Rep, class Period>
  explicit BootScope(std::chrono::duration<Rep, Period> duration) : BootScope(BootTime::after(duration)) {}
  ~BootScope();
  BootScope(const BootScope&) = delete;
  BootScope& operator=(const BootScope&) = delete;

  /// Success while the scope has not ended; else the error that calls in it fail with.
  Result<void> status() noexcept;
  /// Ends the scope: waits in it fail with Errc::cancelled. No effect if it has ended.
  void cancel() noexcept;

 private:
  std::unique_ptr<BootScopeCore> core_;
};

}  // namespace weft
