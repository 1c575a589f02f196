// SPDX-License-Identifier: Apache-2.0
// A handle that is empty: by default, moved from, joined, detached.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <utility>

namespace {

using weft::Deadline;
using weft::JoinHandle;

TEST(EmptyHandle, IsNotJoinableAndMayBeDetached) {
  stranger::in_fiber([] {
    JoinHandle<int> empty;
    EXPECT_FALSE(empty.joinable());
    empty.detach();
    auto fiber = weft::spawn([] { return 1; });
    JoinHandle<int> moved = std::move(fiber);
    EXPECT_FALSE(fiber.joinable());  // NOLINT(bugprone-use-after-move)
    fiber.detach();                  // of no effect
    EXPECT_TRUE(moved.joinable());
    EXPECT_EQ(moved.join().value(), 1);
    EXPECT_FALSE(moved.joinable());
    moved = weft::spawn([] { return 2; });
    EXPECT_EQ(moved.join().value(), 2);
  });
}

TEST(EmptyHandle, MovedOntoItselfKeepsItsFiber) {
  stranger::in_fiber([] {
    auto fiber = weft::spawn([] { return 1; });
    auto& same = fiber;
    fiber = std::move(same);
    EXPECT_EQ(fiber.join().value(), 1);
  });
}

TEST(EmptyHandle, AHandleThatGetsAnotherFiberLetsTheFirstOneGo) {
  stranger::in_fiber([] {
    weft::Latch ended(1);
    auto fiber = weft::spawn([&] { ended.count_down(); });
    fiber = weft::spawn([] {});
    EXPECT_TRUE(ended.wait());
    EXPECT_TRUE(fiber.join());
  });
}

TEST(EmptyHandleDeathTest, WhateverElseIsDoneWithItNamesTheCallersLine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  JoinHandle<int> empty;
  const char* const here = "BUG: .*\\(\\) of an empty join handle at .*empty_handle_test.cpp:";
  EXPECT_DEATH((void)empty.join(), here);
  EXPECT_DEATH((void)empty.join_until(Deadline::after(std::chrono::hours(1))), here);
  EXPECT_DEATH((void)empty.join_uncancellable(), here);
  EXPECT_DEATH(empty.cancel(), here);
  EXPECT_DEATH((void)empty.done(), here);
  EXPECT_DEATH((void)empty.id(), here);
  EXPECT_DEATH((void)empty.name(), here);
}

TEST(EmptyHandleDeathTest, AnIsolatedContextIsJoinedOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(stranger::in_fiber([] {
                 weft::IsolatedContext context("once", [] {});
                 EXPECT_TRUE(context.join());
                 (void)context.join();
               }),
               "BUG: join\\(\\) of an empty join handle at .*empty_handle_test.cpp:");
}

TEST(EmptyHandleDeathTest, AFiberDoesNotJoinItself) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(stranger::in_fiber([] {
                 JoinHandle<void> self;
                 self = weft::spawn([&] { (void)self.join(); });
                 weft::yield();
               }),
               "BUG: a fiber joins itself");
}

}  // namespace
