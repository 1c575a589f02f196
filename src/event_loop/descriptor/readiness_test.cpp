// SPDX-License-Identifier: Apache-2.0
#include "event_loop/descriptor/readiness.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

class ReadinessTest : public testing::Test {
 protected:
  ReadinessTest() { word.reset(); }
  bool clear(Direction direction) { return word.clear(word.load(), direction); }

  Readiness word;
};

TEST_F(ReadinessTest, ANewDescriptorCountsAsReadyBothWays) {
  EXPECT_TRUE(word.load().ready(Direction::kRead));
  EXPECT_TRUE(word.load().ready(Direction::kWrite));
  EXPECT_FALSE(word.load().unusual());
}

TEST_F(ReadinessTest, ClearingOneDirectionLeavesTheOther) {
  EXPECT_TRUE(clear(Direction::kRead));
  EXPECT_FALSE(word.load().ready(Direction::kRead));
  EXPECT_TRUE(word.load().ready(Direction::kWrite));
}

TEST_F(ReadinessTest, L3_AnEdgeAfterTheLoadForbidsTheClear) {
  const Readiness::Snapshot seen = word.load();
  word.signal(true, false, false);
  EXPECT_FALSE(word.clear(seen, Direction::kRead));
  EXPECT_TRUE(word.load().ready(Direction::kRead));
}

TEST_F(ReadinessTest, AnEdgeOfTheOtherDirectionDoesNotMatter) {
  const Readiness::Snapshot seen = word.load();
  word.signal(false, true, false);
  EXPECT_TRUE(word.clear(seen, Direction::kRead));
  EXPECT_TRUE(word.load().ready(Direction::kWrite));
}

TEST_F(ReadinessTest, SomebodyElsesClearForbidsOursAndMakesUsLookAgain) {
  const Readiness::Snapshot seen = word.load();
  EXPECT_TRUE(word.clear(seen, Direction::kRead));
  EXPECT_FALSE(word.clear(seen, Direction::kRead));
}

TEST_F(ReadinessTest, L2_WhatIsUnusualStaysSo) {
  word.signal(true, false, true);
  EXPECT_TRUE(clear(Direction::kRead));
  word.signal(true, true, false);
  EXPECT_TRUE(word.load().unusual());
  word.reset();
  EXPECT_FALSE(word.load().unusual());
}

TEST_F(ReadinessTest, ManyReadEdgesDoNotTouchTheWriteHalf) {
  ASSERT_TRUE(clear(Direction::kWrite));
  const Readiness::Snapshot before = word.load();
  constexpr int kEdges = 1 << 20;
  for (int i = 0; i < kEdges; ++i) word.signal(true, false, false);
  EXPECT_FALSE(word.load().ready(Direction::kWrite));
  EXPECT_FALSE(word.load().unusual());
  EXPECT_FALSE(word.clear(before, Direction::kRead));
  ASSERT_FALSE(word.load().ready(Direction::kWrite));
}

}  // namespace
}  // namespace weft
