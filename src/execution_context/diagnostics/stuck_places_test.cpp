// SPDX-License-Identifier: Apache-2.0
// One report for each place of a spawn and minute.
#include "execution_context/diagnostics/stuck_places.hpp"

#include <string>

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr std::int64_t kMinute = StuckPlaces::kTellAgainAfterNs;

TEST(StuckPlaces, AreToldOfOnceAMinute) {
  StuckPlaces places;
  EXPECT_TRUE(places.tell_now({"a.cpp", 1}, 5));
  EXPECT_FALSE(places.tell_now({"a.cpp", 1}, 6));
  const std::string same = "a.cpp";
  EXPECT_FALSE(places.tell_now({same.c_str(), 1}, kMinute + 4)) << "by the name, not its address";
  EXPECT_TRUE(places.tell_now({"a.cpp", 1}, kMinute + 5));
  EXPECT_FALSE(places.tell_now({"a.cpp", 1}, kMinute + 6));
}

TEST(StuckPlaces, AreApartByFileAndLine) {
  StuckPlaces places;
  EXPECT_TRUE(places.tell_now({"a.cpp", 1}, 5));
  EXPECT_TRUE(places.tell_now({"a.cpp", 2}, 5));
  EXPECT_TRUE(places.tell_now({"b.cpp", 1}, 5));
}

TEST(StuckPlaces, SayHowManyWereNotToldOf) {
  StuckPlaces places;
  EXPECT_TRUE(places.tell_now({"a.cpp", 12}, 5));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(places.tell_now({"a.cpp", 12}, 6));
  testing::internal::CaptureStderr();
  EXPECT_TRUE(places.tell_now({"a.cpp", 12}, kMinute + 6));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "weft: 3 more fibers that were spawned at a.cpp:12 did not suspend in time\n");
}

TEST(StuckPlaces, ManyOfThemForgetTheOldest) {
  StuckPlaces places;
  const int count = static_cast<int>(StuckPlaces::kPlacesMax) + 1;
  for (int line = 1; line <= count; ++line) EXPECT_TRUE(places.tell_now({"a.cpp", line}, line));
  EXPECT_FALSE(places.tell_now({"a.cpp", count}, count));
  EXPECT_TRUE(places.tell_now({"a.cpp", 1}, count)) << "forgotten";
}

}  // namespace
}  // namespace weft
