// SPDX-License-Identifier: Apache-2.0
#include <weft/deadline.hpp>

#include "base/clock.hpp"
#include "base/saturating.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;

/// Runs each test at a virtual time, so that every expectation is exact.
class DeadlineTest : public testing::Test {
 protected:
  DeadlineTest() { set_clock_override(&time_ns_); }
  ~DeadlineTest() override { set_clock_override(nullptr); }

  std::int64_t time_ns_ = 1'000'000'000;
};

TEST_F(DeadlineTest, IsNeverByDefault) {
  EXPECT_TRUE(Deadline().is_never());
  EXPECT_EQ(Deadline(), Deadline::never());
  EXPECT_FALSE(Deadline().passed());
}

TEST_F(DeadlineTest, NeverIsLaterThanEveryOther) {
  EXPECT_LT(Deadline::at_ns(std::numeric_limits<std::int64_t>::max() - 1), Deadline::never());
}

TEST_F(DeadlineTest, AfterAddsToTheClock) {
  EXPECT_EQ(Deadline::after(5ms).time_ns(), 1'005'000'000);
  EXPECT_EQ(Deadline::after(2s).time_ns(), 3'000'000'000);
  EXPECT_EQ(Deadline::after_ns(1).time_ns(), 1'000'000'001);
  EXPECT_EQ(Deadline::after(0.5s).time_ns(), 1'500'000'000);
}

TEST_F(DeadlineTest, PassesWhenTheClockReachesIt) {
  const Deadline deadline = Deadline::after_ns(10);
  time_ns_ += 9;
  EXPECT_FALSE(deadline.passed());
  time_ns_ += 1;
  EXPECT_TRUE(deadline.passed());
}

TEST_F(DeadlineTest, ANegativeTimeoutHasPassed) {
  EXPECT_TRUE(Deadline::after(-1ns).passed());
  EXPECT_TRUE(Deadline::after(std::chrono::hours::min()).passed());
  EXPECT_TRUE(Deadline::after(std::chrono::nanoseconds::min()).passed());
  EXPECT_TRUE(Deadline::after_ns(std::numeric_limits<std::int64_t>::min()).passed());
}

TEST_F(DeadlineTest, ATimeoutTooLargeToRepresentIsNever) {
  EXPECT_TRUE(Deadline::after(std::chrono::hours::max()).is_never());
  EXPECT_TRUE(Deadline::after(std::chrono::nanoseconds::max()).is_never());
  EXPECT_TRUE(Deadline::after(std::chrono::duration<double>(1e300)).is_never());
  EXPECT_TRUE(Deadline::after_ns(std::numeric_limits<std::int64_t>::max() - 1).is_never());
}

TEST_F(DeadlineTest, TheLargestRepresentableTimeoutIsNotNever) {
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max() - time_ns_ - 1;
  EXPECT_EQ(Deadline::after_ns(largest).time_ns(), std::numeric_limits<std::int64_t>::max() - 1);
}

TEST_F(DeadlineTest, ATimeoutThatIsNotANumberIsNever) {
  EXPECT_TRUE(
      Deadline::after(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN())).is_never());
}

TEST_F(DeadlineTest, SaturatesAtBothEndsWhateverTheClockSays) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (const std::int64_t now : {kMin, std::int64_t{-1}, std::int64_t{0}, kMax - 1}) {
    time_ns_ = now;
    EXPECT_TRUE(Deadline::after_ns(kMin).passed()) << now;
    EXPECT_TRUE(Deadline::after_coarsely_ns(kMin).passed()) << now;
    EXPECT_TRUE(Deadline::after_ns(kMax).is_never()) << now;
    EXPECT_TRUE(Deadline::after(std::chrono::hours::min()).passed()) << now;
    EXPECT_TRUE(Deadline::after(std::chrono::hours::max()).is_never()) << now;
  }
}

TEST_F(DeadlineTest, OddPeriodsAreConvertedWithoutOverflow) {
  using Frames = std::chrono::duration<std::int64_t, std::ratio<1, 30>>;
  using Weeks = std::chrono::duration<std::uint32_t, std::ratio<7 * 86400>>;
  EXPECT_EQ(Deadline::after(Frames(60)).time_ns(), 3'000'000'000);
  EXPECT_TRUE(Deadline::after(Frames::max()).is_never());
  EXPECT_TRUE(Deadline::after(Frames::min()).passed());
  EXPECT_EQ(Deadline::after(Weeks(1)).time_ns(), time_ns_ + 7 * 86'400'000'000'000);
  EXPECT_TRUE(Deadline::after(Weeks::max()).is_never());
  EXPECT_TRUE(
      Deadline::after(std::chrono::duration<double>(-std::numeric_limits<double>::infinity())).passed());
}

TEST(Saturating, StopsAtTheEnds) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(saturating_add(1, 2), 3);
  EXPECT_EQ(saturating_add(kMax, 1), kMax);
  EXPECT_EQ(saturating_add(kMin, -1), kMin);
  EXPECT_EQ(saturating_subtract(3, 2), 1);
  EXPECT_EQ(saturating_subtract(kMin, 1), kMin);
  EXPECT_EQ(saturating_subtract(0, kMin), kMax);
  EXPECT_EQ(saturating_multiply(3, 2), 6);
  EXPECT_EQ(saturating_multiply(kMax, 2), kMax);
  EXPECT_EQ(saturating_multiply(kMax, -2), kMin);
}

TEST(Clock, RunsForwardInNanoseconds) {
  const std::int64_t first = monotonic_ns();
  const std::int64_t second = monotonic_ns();
  EXPECT_GT(first, 0);
  EXPECT_LE(first, second);
}

TEST(Clock, FollowsTheOverrideOfItsThreadOnly) {
  const std::int64_t virtual_ns = 42;
  set_clock_override(&virtual_ns);
  EXPECT_EQ(now_ns(), 42);
  EXPECT_NE(monotonic_ns(), 42) << "the real clock stays real";
  set_clock_override(nullptr);
  EXPECT_NE(now_ns(), 42);
}

}  // namespace
}  // namespace weft
