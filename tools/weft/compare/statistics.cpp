// SPDX-License-Identifier: Apache-2.0
#include "statistics.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace weft::tool::compare {
namespace {

constexpr int kResamples = 2000;
constexpr std::size_t kValuesMin = 5;
constexpr double kTail = 0.025;

using Generator = std::mt19937;

std::vector<double> resampled(std::span<const double> values, Generator& generator) {
  std::uniform_int_distribution<std::size_t> pick(0, values.size() - 1);
  std::vector<double> drawn(values.size());
  for (double& value : drawn) value = values[pick(generator)];
  return drawn;
}

template <class Resample>
Estimate bootstrap(double value, bool enough, Resample&& resample) {
  if (!enough) return {value};
  Generator generator(1);
  std::vector<double> outcomes(kResamples);
  for (double& outcome : outcomes) outcome = resample(generator);
  return {value, quantile(outcomes, kTail), quantile(outcomes, 1 - kTail)};
}

}  // namespace

double quantile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (place - std::floor(place));
}

double median(std::span<const double> values) { return quantile({values.begin(), values.end()}, 0.5); }

Estimate median_with_bounds(std::span<const double> values) {
  return bootstrap(median(values), values.size() >= kValuesMin,
                   [&](Generator& generator) { return median(resampled(values, generator)); });
}

Estimate ratio_of_medians(std::span<const double> above, std::span<const double> below) {
  return bootstrap(median(above) / median(below), std::min(above.size(), below.size()) >= kValuesMin,
                   [&](Generator& generator) {
                     const double upper = median(resampled(above, generator));
                     return upper / median(resampled(below, generator));
                   });
}

}  // namespace weft::tool::compare
