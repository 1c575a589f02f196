// SPDX-License-Identifier: Apache-2.0
#include "event_loop/migration/migration_watch.hpp"

#include "event_loop/descriptor/descriptor_arena.hpp"

#include <gtest/gtest.h>

#include <array>

namespace weft {
namespace {

using Step = MigrationWatch::Step;

constexpr std::uint32_t kThreshold = 4;

TEST(MigrationWatch, TheLastBeforeTheThresholdIsKeptAndTheThresholdIsReportedOnce) {
  MigrationWatch watch;
  EXPECT_EQ(watch.transferred(100, kThreshold), Step::kNothing);
  EXPECT_EQ(watch.transferred(200, kThreshold), Step::kNothing);
  EXPECT_EQ(watch.transferred(300, kThreshold), Step::kKeep);
  EXPECT_EQ(watch.transferred(400, kThreshold), Step::kReport);
  EXPECT_EQ(watch.transfers(), 4u);
  EXPECT_EQ(watch.window_age_ms(400), 300u);
  for (std::uint32_t now_ms = 400; now_ms < 10'000; now_ms += 100) {
    EXPECT_EQ(watch.transferred(now_ms, kThreshold), Step::kNothing);
    EXPECT_EQ(watch.turned(now_ms, kThreshold), Step::kNothing);
  }
}

TEST(MigrationWatch, WhatMovesMoreSlowlyThanTheThresholdIsNeverReported) {
  MigrationWatch watch;
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    EXPECT_NE(watch.transferred(i * MigrationWatch::kWindowMs / (kThreshold - 1), kThreshold), Step::kReport);
  }
}

TEST(MigrationWatch, ASecondStartsAnewWithTheFirstMoveAfterIt) {
  MigrationWatch watch;
  for (std::uint32_t i = 0; i < kThreshold - 1; ++i)
    EXPECT_NE(watch.transferred(5000, kThreshold), Step::kReport);
  EXPECT_EQ(watch.transferred(6000, kThreshold), Step::kNothing);
  EXPECT_EQ(watch.transfers(), 1u);
  EXPECT_EQ(watch.window_age_ms(6100), 100u);
}

TEST(MigrationWatch, TheClockMayWrap) {
  MigrationWatch watch;
  const std::uint32_t last = ~std::uint32_t{0};
  EXPECT_EQ(watch.transferred(last - 10, 3), Step::kNothing);
  EXPECT_EQ(watch.transferred(last, 3), Step::kKeep);
  EXPECT_EQ(watch.transferred(10, 3), Step::kReport);
}

TEST(MigrationWatch, AThresholdThatWasLoweredMeanwhileIsReportedAtOnce) {
  MigrationWatch watch;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(watch.transferred(0, 1000), Step::kNothing);
  EXPECT_EQ(watch.transferred(0, 5), Step::kReport);
}

TEST(MigrationWatch, ATurnIsAnotherHomeOrTheOwnersOwnInBetween) {
  std::array<char, 256> homes{};
  const void* const b = &homes[64];
  const void* const c = &homes[192];
  MigrationWatch watch;
  EXPECT_FALSE(watch.is_turn(b, 7));  // handed on: it was awaited at home before
  EXPECT_FALSE(watch.is_turn(b, 7));
  EXPECT_TRUE(watch.is_turn(b, 8));  // the owner's own was woken in between
  EXPECT_FALSE(watch.is_turn(b, 8));
  EXPECT_TRUE(watch.is_turn(c, 8));
  EXPECT_TRUE(watch.is_turn(b, 8));
}

TEST(MigrationWatch, MovesAndTurnsAreCountedApart) {
  MigrationWatch watch;
  for (std::uint32_t i = 0; i < kThreshold - 1; ++i) {
    EXPECT_NE(watch.transferred(0, kThreshold), Step::kReport);
    EXPECT_NE(watch.turned(0, kThreshold), Step::kReport);
  }
  EXPECT_EQ(watch.turned(0, kThreshold), Step::kReport);
  EXPECT_EQ(watch.turns(), kThreshold);
  EXPECT_EQ(watch.transfers(), kThreshold - 1);
}

TEST(MigrationWatch, ARecordThatStandsForAnotherFileBeginsAtZero) {
  DescriptorArena& arena = DescriptorArena::instance();
  Descriptor* const descriptor = arena.allocate(7, DescriptorKind::kOther);
  ASSERT_NE(descriptor, nullptr);
  for (std::uint32_t i = 0; i < kThreshold - 1; ++i) {
    EXPECT_NE(descriptor->migration.transferred(0, kThreshold), Step::kReport);
  }
  arena.free(*descriptor);
  Descriptor* const again = arena.allocate(8, DescriptorKind::kOther);
  ASSERT_EQ(again, descriptor);
  EXPECT_EQ(again->migration.transfers(), 0u);
  EXPECT_EQ(again->migration.transferred(0, kThreshold), Step::kNothing);
  arena.free(*again);
}

}  // namespace
}  // namespace weft
