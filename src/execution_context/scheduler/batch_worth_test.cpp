// SPDX-License-Identifier: Apache-2.0
#include "execution_context/scheduler/batch_worth.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

class BatchWorthTest : public testing::Test {
 protected:
  /// A poll brings `count` fibers, each of which runs for so long. Whether they were worth a sibling.
  bool pass(std::size_t count, std::int64_t each_ns) {
    const bool worth = worth_.begin(count, now_ns_);
    now_ns_ += static_cast<std::int64_t>(count) * each_ns;
    if (worth_.begun()) worth_.end(now_ns_);
    return worth;
  }

  void learn(std::int64_t each_ns) {
    for (int i = 0; i < 100; ++i) pass(3, each_ns);
  }

  BatchWorth worth_;
  std::int64_t now_ns_ = 1'000'000'000;
};

constexpr std::int64_t kShortNs = 8'000;
constexpr std::int64_t kLongNs = 1'000'000;

TEST_F(BatchWorthTest, TwoAreWorthItAsLongAsNothingIsKnown) { EXPECT_TRUE(pass(2, kShortNs)); }

TEST_F(BatchWorthTest, OneIsNever) {
  EXPECT_FALSE(pass(1, kShortNs));
  learn(kLongNs);
  EXPECT_FALSE(pass(1, kLongNs));
}

TEST_F(BatchWorthTest, AFewShortFibersAreNot) {
  learn(kShortNs);
  EXPECT_FALSE(pass(4, kShortNs));
}

TEST_F(BatchWorthTest, ManyShortFibersAre) {
  learn(kShortNs);
  EXPECT_TRUE(pass(2 + BatchWorth::kWorthNs / kShortNs, kShortNs));
}

TEST_F(BatchWorthTest, LongFibersAreFromTheSecondOn) {
  learn(kShortNs);
  int batches = 0;
  while (!pass(2, kLongNs)) ASSERT_LT(++batches, 10);
}

TEST_F(BatchWorthTest, AThreadThatHadToWaitForItsCpuOnceDoesNotMakeAFewShortFibersWorthIt) {
  learn(kShortNs);
  pass(1, 10 * kLongNs);
  EXPECT_FALSE(pass(4, kShortNs));
}

TEST_F(BatchWorthTest, APollThatBringsNothingTeachesNothing) {
  learn(kLongNs);
  for (int i = 0; i < 100; ++i) pass(0, kShortNs);
  EXPECT_TRUE(pass(2, kLongNs));
}

}  // namespace
}  // namespace weft
