// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

namespace weft {

/// An absolute point in time by which something must be done. Wherever one is taken, a duration from now is,
/// too: `stream.read_some_until(buffer, 5s)`.
///
/// Measured in nanoseconds of the clock of the current event loop: the monotonic clock, or the virtual
/// one inside a simulation. A value type; passing one on costs no clock reading. `Deadline::never()` is
/// the default and compares greater than every other.
class Deadline {
 public:
  constexpr Deadline() noexcept = default;

  /// The same as after(timeout).
  template <class Rep, class Period>
  Deadline(std::chrono::duration<Rep, Period> timeout) : Deadline(after(timeout)) {}  // NOLINT

  static constexpr Deadline never() noexcept { return {}; }

  /// A deadline `timeout` from now. Any duration is allowed: one of zero or less has already passed, one too
  /// large to represent is `never()`, and so are infinity and NaN; minus infinity has passed.
  template <class Rep, class Period>
  static Deadline after(std::chrono::duration<Rep, Period> timeout) {
    return after_ns(saturated_ns(timeout));
  }

  /// The same, counted from the last tick of the kernel's clock, which is up to 4 ms ago and several times
  /// cheaper to read: for limits of seconds.
  template <class Rep, class Period>
  static Deadline after_coarsely(std::chrono::duration<Rep, Period> timeout) {
    return after_coarsely_ns(saturated_ns(timeout));
  }

  /// A deadline `timeout_ns` nanoseconds from now; the same limits hold.
  static Deadline after_ns(std::int64_t timeout_ns) noexcept;
  static Deadline after_coarsely_ns(std::int64_t timeout_ns) noexcept;

  /// A deadline at `time_ns` nanoseconds of the loop's clock. Any number is allowed; the largest is
  /// `never()`.
  static constexpr Deadline at_ns(std::int64_t time_ns) noexcept { return Deadline(time_ns); }

  constexpr std::int64_t time_ns() const noexcept { return time_ns_; }
  constexpr bool is_never() const noexcept { return time_ns_ == kNever; }
  /// True when the loop's clock has reached the deadline.
  bool passed() const noexcept;

  friend constexpr auto operator<=>(const Deadline&, const Deadline&) noexcept = default;

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

  explicit constexpr Deadline(std::int64_t time_ns) noexcept : time_ns_(time_ns) {}

  template <class Rep, class Period>
  static constexpr std::int64_t saturated_ns(std::chrono::duration<Rep, Period> timeout) {
    using Nanos = std::ratio<std::nano::den, Period::den>;  // of a period with the numerator 1
    constexpr bool kFits = Period::num <= std::numeric_limits<std::int64_t>::max() / Nanos::num;
    if constexpr (std::is_integral_v<Rep> && Nanos::den == 1 && kFits) {
      std::int64_t ns = 0;
      if (!__builtin_mul_overflow(timeout.count(), Period::num * Nanos::num, &ns)) return ns;
      return timeout.count() > 0 ? kNever : kMin;
    } else {  // through a type that no value of Rep overflows, and no period
      constexpr double kScale = static_cast<double>(Period::num) * static_cast<double>(Nanos::num);
      const double ns = static_cast<double>(timeout.count()) * kScale / static_cast<double>(Nanos::den);
      if (!(ns < 0x1p63)) return kNever;  // so too what is not a number
      return ns > -0x1p63 ? static_cast<std::int64_t>(ns) : kMin;
    }
  }

  std::int64_t time_ns_ = kNever;
};

}  // namespace weft
