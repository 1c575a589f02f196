// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace weft::tool::compare {

/// A figure, and between which bounds it lies with 95 % confidence; without bounds if there was too little to
/// say.
struct Estimate {
  double value = 0;
  std::optional<double> low = std::nullopt;
  std::optional<double> high = std::nullopt;

  /// Whether the bounds leave room for `other`; also without bounds.
  bool may_be(double other) const noexcept { return !low || (*low <= other && other <= *high); }
};

/// The value below which `fraction` of the values lie, interpolated. REQUIRES: values, 0 <= fraction <= 1.
double quantile(std::vector<double> values, double fraction);
/// REQUIRES: values.
double median(std::span<const double> values);

/// The median, with the bounds of the percentile bootstrap: outliers move neither. The resampling is seeded,
/// so the same values give the same bounds. Bounds need five values: below, the most extreme resample is all
/// too likely. REQUIRES: values.
Estimate median_with_bounds(std::span<const double> values);

/// Of a median over another's, where nothing pairs the values. REQUIRES: values, those below not 0.
Estimate ratio_of_medians(std::span<const double> above, std::span<const double> below);

}  // namespace weft::tool::compare
