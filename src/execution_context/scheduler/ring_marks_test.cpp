// SPDX-License-Identifier: Apache-2.0
#include "execution_context/scheduler/ring_marks.hpp"

#include <gtest/gtest.h>

namespace weft {
namespace {

/// A ring as its marks see it, for billions of fibers.
struct Ring {
  std::uint32_t head = 0;
  std::uint32_t tail = 0;

  std::uint32_t begin() const { return head; }
  std::uint32_t end() const { return tail; }
  bool has_passed(std::uint32_t position) const { return static_cast<std::int32_t>(head - position) >= 0; }
};

TEST(RingMarksTest, WhatAPollBroughtIsPassedOnceItHasBegunToRun) {
  Ring ring{.head = 7, .tail = 9};
  RingMarks marks;
  marks.woken(ring);
  marks.polled();
  EXPECT_FALSE(marks.passed_polled(ring));
  EXPECT_EQ(marks.woken_waiting(ring), 2U);
  EXPECT_FALSE(marks.yielded_may_be_overtaken(ring));
  ring = {.head = 9, .tail = 11};
  EXPECT_TRUE(marks.passed_polled(ring));
  EXPECT_EQ(marks.woken_waiting(ring), 0U);
  EXPECT_FALSE(marks.yielded_may_be_overtaken(ring)) << "none that yielded has run since";
  ring.head = 10;
  EXPECT_TRUE(marks.yielded_may_be_overtaken(ring));
  EXPECT_EQ(marks.woken_waiting(ring), 0U);
}

// They are pushed behind what the poll brought: it is not they who are waited for.
TEST(RingMarksTest, ThoseThatAreOvertakenAreNotThePolls) {
  Ring ring{.head = 0, .tail = 2};
  RingMarks marks;
  marks.woken(ring);
  ring.tail = 60;
  marks.polled();
  ring.head = 2;
  EXPECT_TRUE(marks.passed_polled(ring));
  EXPECT_EQ(marks.woken_waiting(ring), 0U);
}

TEST(RingMarksTest, AWokenOneAfterThePollIsWaitedForButNotAsThePolls) {
  Ring ring{.head = 0, .tail = 1};
  RingMarks marks;
  marks.woken(ring);
  marks.polled();
  ring = {.head = 1, .tail = 5};
  marks.woken(ring);
  EXPECT_TRUE(marks.passed_polled(ring));
  EXPECT_EQ(marks.woken_waiting(ring), 4U);
  EXPECT_FALSE(marks.yielded_may_be_overtaken(ring));
}

// A loop was not polled for 2^31 fibers, and a sleep of 10 ms took 16.8 s, once in as many fibers as that:
// nobody had been woken, and the marks seemed to lie ahead.
TEST(RingMarksTest, MarksDoNotGrowOld) {
  Ring ring{.head = 3, .tail = 5};
  RingMarks marks;
  marks.woken(ring);
  marks.polled();
  constexpr std::uint32_t kStep = std::uint32_t{1} << 30;
  ring = {.head = 6, .tail = 7};
  for (int i = 0; i < 16; ++i) {
    ASSERT_TRUE(marks.passed_polled(ring)) << i;
    ASSERT_TRUE(marks.yielded_may_be_overtaken(ring)) << i;
    ASSERT_EQ(marks.woken_waiting(ring), 0U) << i;
    ring.head += kStep;
    ring.tail += kStep;
  }
}

}  // namespace
}  // namespace weft
