// SPDX-License-Identifier: Apache-2.0
#pragma once

// Any duration in nanoseconds. Internal: this header may change at any time.

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

namespace weft::detail {

/// The greatest number for what is too large, infinity and NaN; the least one for what is too small.
template <class Rep, class Period>
constexpr std::int64_t saturated_ns(std::chrono::duration<Rep, Period> duration) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  using Nanos = std::ratio<std::nano::den, Period::den>;  // of a period with the numerator 1
  constexpr bool kFits = Period::num <= kMax / Nanos::num;
  if constexpr (std::is_integral_v<Rep> && Nanos::den == 1 && kFits) {
    std::int64_t ns = 0;
    if (!__builtin_mul_overflow(duration.count(), Period::num * Nanos::num, &ns)) return ns;
    return duration.count() > 0 ? kMax : kMin;
  } else {  // through a type that no value of Rep overflows, and no period
    constexpr double kScale = static_cast<double>(Period::num) * static_cast<double>(Nanos::num);
    const double ns = static_cast<double>(duration.count()) * kScale / static_cast<double>(Nanos::den);
    if (!(ns < 0x1p63)) return kMax;  // NaN, too
    return ns > -0x1p63 ? static_cast<std::int64_t>(ns) : kMin;
  }
}

/// The same; zero for NaN, which is no length of time.
template <class Rep, class Period>
constexpr std::int64_t period_ns(std::chrono::duration<Rep, Period> period) {
  return period.count() == period.count() ? saturated_ns(period) : 0;
}

}  // namespace weft::detail
