// SPDX-License-Identifier: Apache-2.0
#include <weft/rate.hpp>

#include <cmath>
#include <limits>
#include <stdexcept>

namespace weft {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / kNanosPerSecond;

struct Fraction {
  std::int64_t above;
  std::int64_t below;
};

/// The simplest fraction that rounds to `number`, or the best with a denominator that fits: the convergents
/// of its continued fraction. Each is nearer than the one before; their parts at least double in two steps.
Fraction fraction_of(double number) {
  long double rest = number;
  Fraction before{1, 0};
  Fraction now{static_cast<std::int64_t>(rest), 1};
  while (now.above == 0 || static_cast<double>(now.above) / static_cast<double>(now.below) != number) {
    rest -= std::floor(rest);
    if (rest == 0) break;
    rest = 1 / rest;
    if (rest > 0x1p62L) break;
    const auto digit = static_cast<std::int64_t>(rest);
    Fraction next{};
    if (__builtin_mul_overflow(digit, now.above, &next.above) ||
        __builtin_add_overflow(next.above, before.above, &next.above) ||
        __builtin_mul_overflow(digit, now.below, &next.below) ||
        __builtin_add_overflow(next.below, before.below, &next.below))
      break;
    if (next.below > kSecondsMax || next.above > Rate::permits_max()) break;
    before = now;
    now = next;
  }
  return now;
}

}  // namespace

void Rate::refuse() {
  throw std::invalid_argument("weft: a rate is above zero, finite, and within the limits of weft::Rate");
}

Rate::Rate(double permits_per_second) : permits_(0), period_ns_(0) {
  if (!(permits_per_second > 0) || permits_per_second > static_cast<double>(permits_max())) refuse();
  const Fraction fraction = fraction_of(permits_per_second);
  if (fraction.above == 0) refuse();  // less than one in all seconds that fit
  permits_ = fraction.above;
  period_ns_ = fraction.below * kNanosPerSecond;
}

}  // namespace weft
