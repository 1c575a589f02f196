// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/duration_ns.hpp>

#include <chrono>
#include <cstdint>

namespace weft {

/// A number of permits for each period. It is kept as two integers, without rounding. A value type.
///
///     weft::Rate(100.0);        // 100 a second
///     weft::Rate(1000, 1min);   // 1000 a minute, which is no whole number a second
class Rate {
 public:
  /// `permits` in each `period`. Throws std::invalid_argument if the permits are not in 1 to permits_max(),
  /// or the period is less than a nanosecond or NaN.
  template <class Rep, class Period>
  constexpr Rate(std::int64_t permits, std::chrono::duration<Rep, Period> period)
      : Rate(permits, detail::period_ns(period)) {}

  /// Permits for each second. A double that stands for a simple fraction is converted to that fraction: 0.1
  /// is exactly one permit in ten seconds. Throws std::invalid_argument for zero, negative numbers, NaN,
  /// infinity, more than permits_max() a second, and less than one in 290 years.
  Rate(double permits_per_second);  // NOLINT(google-explicit-constructor): a number is a rate

  std::int64_t permits() const noexcept { return permits_; }
  std::chrono::nanoseconds period() const noexcept { return std::chrono::nanoseconds(period_ns_); }
  static constexpr std::int64_t permits_max() noexcept { return std::int64_t{1} << 62; }

 private:
  constexpr Rate(std::int64_t permits, std::int64_t period_ns) : permits_(permits), period_ns_(period_ns) {
    if (permits <= 0 || permits > permits_max() || period_ns <= 0) refuse();
  }
  [[noreturn]] static void refuse();

  std::int64_t permits_;
  std::int64_t period_ns_;
};

}  // namespace weft
