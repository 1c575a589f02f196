// SPDX-License-Identifier: Apache-2.0
#include "execution_context/scheduler/pace.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

class PaceTest : public testing::Test {
 protected:
  PaceTest() { pace_.start(switches_, now_ns_); }

  /// Switches until the next look, each of which takes so long, and looks.
  Pace::Look pass(std::int64_t each_ns) {
    const std::uint32_t count = pace_.switches_to_next_look();
    switches_ += count;
    now_ns_ += count * each_ns;
    return pace_.look(switches_, now_ns_);
  }

  /// Until nothing is left of what took long. How many switches that took.
  std::uint64_t forget(std::int64_t each_ns) {
    const std::uint64_t before = switches_;
    while (pace_.long_switches()) pass(each_ns);
    return switches_ - before;
  }

  Pace pace_;
  std::uint64_t switches_ = 1000;
  std::int64_t now_ns_ = 1'000'000'000;
};

constexpr std::int64_t kLongRunNs = 9'000'000;

TEST_F(PaceTest, EachSwitchIsLookedAtAsLongAsNothingIsKnown) {
  EXPECT_TRUE(pace_.long_switches());
  EXPECT_EQ(pace_.switches_to_next_look(), 1u);
}

TEST_F(PaceTest, ShortSwitchesAreSeldomLookedAt) {
  const std::uint64_t known_after = forget(100);
  EXPECT_LE(known_after, Pace::kMemoryNs / (Pace::kShortNs - 100) + 1);
  EXPECT_EQ(pace_.switches_to_next_look(), Pace::kSwitchesMax);
  for (int i = 0; i < 100; ++i) pass(Pace::kShortNs);
  EXPECT_EQ(pace_.switches_to_next_look(), Pace::kSwitchesMax);
}

TEST_F(PaceTest, BetweenTwoLooksAtShortSwitchesPassesTheBoundAtMost) {
  EXPECT_LE(Pace::kSwitchesMax * Pace::kShortNs, Pace::kBoundNs);
}

TEST_F(PaceTest, SwitchesThatAreALittleTooLongAreLookedAtOneByOne) {
  forget(100);
  pass(Pace::kShortNs + 1);
  EXPECT_EQ(pace_.switches_to_next_look(), 1u);
}

TEST_F(PaceTest, OneLongSwitchIsRememberedForHundredsOfShortOnes) {
  forget(100);
  switches_ += 1;
  now_ns_ += kLongRunNs;
  pace_.look(switches_, now_ns_);
  EXPECT_GE(forget(100), 200u);
}

TEST_F(PaceTest, SwitchesOfWhichFewAreLongAreLookedAtOneByOne) {
  for (int i = 0; i < 20; ++i) {
    pass(kLongRunNs);
    for (int j = 0; j < 200; ++j) {
      EXPECT_EQ(pace_.switches_to_next_look(), 1u);
      pass(100);
    }
  }
}

TEST_F(PaceTest, ALookSaysWhatTheSwitchesSinceTheLastOneTook) {
  const Pace::Look look = pass(kLongRunNs);
  EXPECT_EQ(look.switches, 1u);
  EXPECT_EQ(look.took_ns, kLongRunNs);
  EXPECT_EQ(pace_.since_ns(), now_ns_);
}

TEST_F(PaceTest, SleepIsNobodysTime) {
  forget(100);
  now_ns_ += 1'000'000'000;
  pace_.start(switches_, now_ns_);
  pass(100);
  EXPECT_FALSE(pace_.long_switches());
}

// A simulation's, while fibers run.
TEST_F(PaceTest, AClockThatStandsStillShowsNoLongSwitch) {
  EXPECT_LE(forget(0), Pace::kMemoryNs / Pace::kShortNs + 1);
}

}  // namespace
}  // namespace weft
