// SPDX-License-Identifier: Apache-2.0
#include "statistics.hpp"

#include <gtest/gtest.h>

#include <random>

namespace weft::tool::compare {
namespace {

TEST(Statistics, AMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle) {
  EXPECT_DOUBLE_EQ(median(std::vector{3.0, 1.0, 2.0}), 2.0);
  EXPECT_DOUBLE_EQ(median(std::vector{4.0, 1.0, 2.0, 3.0}), 2.5);
  EXPECT_DOUBLE_EQ(median(std::vector{7.0}), 7.0);
}

TEST(Statistics, QuantilesReachTheEnds) {
  const std::vector<double> values{5, 1, 4, 2, 3};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.75), 4);
  EXPECT_DOUBLE_EQ(quantile(values, 0.9), 4.6);
}

TEST(Statistics, TooFewValuesHaveNoBounds) {
  const Estimate few = median_with_bounds(std::vector{1.0, 2.0, 3.0, 4.0});
  EXPECT_DOUBLE_EQ(few.value, 2.5);
  EXPECT_FALSE(few.low);
  EXPECT_FALSE(few.high);
  EXPECT_TRUE(few.may_be(100));
}

TEST(Statistics, BoundsOfValuesThatAgreeAreTight) {
  const Estimate same = median_with_bounds(std::vector<double>(10, 1.25));
  EXPECT_DOUBLE_EQ(same.low.value(), 1.25);
  EXPECT_DOUBLE_EQ(same.high.value(), 1.25);
  EXPECT_FALSE(same.may_be(1.0));
}

TEST(Statistics, OneOutlierMovesNeitherTheMedianNorTheBoundsFar) {
  std::vector<double> values{1.00, 1.01, 0.99, 1.02, 0.98, 1.00, 1.01, 0.99, 1.00, 50.0};
  const Estimate estimate = median_with_bounds(values);
  EXPECT_NEAR(estimate.value, 1.0, 0.01);
  EXPECT_LT(estimate.high.value(), 1.05);
  EXPECT_TRUE(estimate.may_be(1.0));
}

TEST(Statistics, TheSameValuesGiveTheSameBounds) {
  const std::vector<double> values{1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(median_with_bounds(values).low, median_with_bounds(values).low);
  EXPECT_EQ(median_with_bounds(values).high, median_with_bounds(values).high);
}

// 95 % of the intervals should hold the truth; the percentile bootstrap of a median is known to hold a little
// more or less.
TEST(Statistics, BoundsHoldTheTrueMedianAboutAsOftenAsTheySay) {
  std::mt19937 generator(7);
  std::normal_distribution<double> noise(10.0, 1.0);
  int held = 0;
  double width = 0;
  constexpr int kTrials = 30;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values(25);
    for (double& value : values) value = noise(generator);
    const Estimate estimate = median_with_bounds(values);
    held += estimate.may_be(10.0) ? 1 : 0;
    width += (estimate.high.value() - estimate.low.value()) / kTrials;
  }
  EXPECT_GE(held, kTrials * 88 / 100);
  // 2 x 1.96 standard errors of a median, 1.25 / sqrt(25) each, would be 0.98: they are not wide either.
  EXPECT_GT(width, 0.7);
  EXPECT_LT(width, 1.3);
}

TEST(Statistics, ARatioOfMediansNeedsNoPairs) {
  const std::vector<double> above{10, 11, 12, 13, 14, 15};
  const std::vector<double> below{5, 5, 5, 5, 5};
  const Estimate ratio = ratio_of_medians(above, below);
  EXPECT_DOUBLE_EQ(ratio.value, 2.5);
  EXPECT_GE(ratio.low.value(), 2.0);
  EXPECT_LE(ratio.high.value(), 3.0);
  EXPECT_FALSE(ratio.may_be(1.0));
}

}  // namespace
}  // namespace weft::tool::compare
