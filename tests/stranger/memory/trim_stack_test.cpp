// SPDX-License-Identifier: Apache-2.0
// A fiber that waits kept every page of its stack that it had ever touched.
#include "resident.hpp"

#include <weft/memory.hpp>
#include <weft/this_fiber.hpp>

namespace {

using stranger::go_deep;
using stranger::resident_pages_below;

TEST(TrimStack, GivesBackWhatCallsHaveLeft) {
  stranger::in_fiber([] {
    char here = 1;
    go_deep(100 * 1024);
    EXPECT_GE(resident_pages_below(&here, 25), 24);
    weft::this_fiber::trim_stack();
    EXPECT_LE(resident_pages_below(&here, 25), 1);
    EXPECT_EQ(here, 1);
  });
}

TEST(TrimStack, TheStackIsUsedAsBeforeAfterwards) {
  stranger::in_fiber([] {
    std::array<int, 300> kept{};
    for (int i = 0; i < 300; ++i) kept[static_cast<std::size_t>(i)] = i;
    for (int round = 0; round < 100; ++round) {
      go_deep(static_cast<std::size_t>(round) * 1024);
      weft::this_fiber::trim_stack();
    }
    weft::yield();
    int sum = 0;
    for (const int number : kept) sum += number;
    EXPECT_EQ(sum, 299 * 300 / 2);
  });
}

TEST(TrimStack, WithoutHavingGoneDeepItDoesNothing) {
  stranger::in_fiber([] {
    for (int i = 0; i < 3; ++i) weft::this_fiber::trim_stack();
    EXPECT_TRUE(weft::this_fiber::exists());
  });
}

TEST(TrimStack, ACallerThatStandsDeepKeepsItsOwnFrames) {
  stranger::in_fiber([] {
    volatile char* const mine = static_cast<volatile char*>(__builtin_alloca(90 * 1024));
    for (int i = 0; i < 90; ++i) mine[i * 1024] = static_cast<char>(i);
    weft::this_fiber::trim_stack();
    for (int i = 0; i < 90; ++i) EXPECT_EQ(mine[i * 1024], static_cast<char>(i));
  });
}

TEST(TrimStackDeathTest, OutsideOfEveryFiberItIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(weft::this_fiber::trim_stack(), "trim_stack");
}

}  // namespace
