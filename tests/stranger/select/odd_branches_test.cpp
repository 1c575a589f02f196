// SPDX-License-Identifier: Apache-2.0
// Selects of what one would not usually select. The join of an empty handle was a segmentation fault.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;
using weft::Errc;

TEST(SelectDeathTest, AJoinOfAnEmptyHandleNamesTheCallersLine) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(stranger::in_fiber([] {
                 weft::JoinHandle<int> empty;
                 (void)weft::select(weft::join(empty, [](int) {}), weft::after(1h, [] {}));
               }),
               "BUG: join\\(\\) of an empty join handle at .*odd_branches_test.cpp:");
  EXPECT_DEATH(stranger::in_fiber([] {
                 auto fiber = weft::spawn([] {});
                 fiber.join_uncancellable();
                 (void)weft::select(weft::join(fiber, [] {}));
               }),
               "BUG: join\\(\\) of an empty join handle at .*odd_branches_test.cpp:");
}

TEST(Select, OfOtherwiseAloneTakesIt) {
  stranger::in_fiber([] {
    int calls = 0;
    const auto selected = weft::select(weft::otherwise([&] { ++calls; }));
    EXPECT_TRUE(selected);
    EXPECT_EQ(selected.index(), 0u);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Select, OfDeadlinesAloneTakesTheEarliest) {
  stranger::in_fiber([] {
    int taken = -1;
    EXPECT_EQ(weft::select(weft::after(1h, [&] { taken = 0; }), weft::after(-1h, [&] { taken = 1; }),
                           weft::after(1ms, [&] { taken = 2; }))
                  .index(),
              1u);
    EXPECT_EQ(taken, 1);
  });
}

TEST(Select, OfWhatNeverComesEndsWithItsFiberOrItsScope) {
  stranger::in_fiber([] {
    const auto never = [] {
      return weft::select(weft::after(weft::Deadline::never(), [] { ADD_FAILURE(); })).error();
    };
    auto fiber = weft::spawn(never);
    weft::yield();
    fiber.cancel();
    EXPECT_EQ(fiber.join().error(), Errc::cancelled);
    EXPECT_EQ(weft::with_timeout(1ms, never).error(), Errc::timed_out);
    weft::CancelScope scope;
    scope.cancel();
    EXPECT_EQ(weft::select(weft::after(weft::Deadline::never(), [] {})).index(), SIZE_MAX);
  });
}

TEST(Select, AReadyBranchIsTakenAlsoAfterItsDeadline) {
  stranger::in_fiber([] {
    weft::Channel<int> channel(1);
    EXPECT_TRUE(channel.send(5));
    int got = 0;
    EXPECT_EQ(weft::select(weft::after(-1h, [] {}),
                           weft::receive(channel, [&](weft::Result<int> value) { got = value.value(); }))
                  .index(),
              1u);
    EXPECT_EQ(got, 5);
  });
}

TEST(Select, NeverMeetsItself) {
  stranger::in_fiber([] {
    weft::Channel<int> channel;
    EXPECT_EQ(weft::select(weft::send(channel, 1, [] { ADD_FAILURE(); }),
                           weft::receive(channel, [](weft::Result<int>) { ADD_FAILURE(); }),
                           weft::after(1ms, [] {}))
                  .index(),
              2u);
  });
}

TEST(Select, OfAClosedChannelSaysSo) {
  stranger::in_fiber([] {
    weft::Channel<std::string> channel;
    channel.close();
    EXPECT_FALSE(channel.close());
    weft::Result<std::string> received = std::string();
    EXPECT_TRUE(weft::select(weft::receive(channel, [&](auto value) { received = std::move(value); })));
    EXPECT_EQ(received.error(), Errc::closed);
    std::string kept = "kept";
    EXPECT_EQ(weft::select(weft::send(channel, std::move(kept), [] { ADD_FAILURE(); })).error(),
              Errc::closed);
    EXPECT_EQ(kept, "kept");
  });
}

TEST(Select, AnExceptionOfItsFunctionComesOut) {
  stranger::in_fiber([] {
    EXPECT_THROW((void)weft::select(weft::otherwise([] { throw std::runtime_error("oh"); })),
                 std::runtime_error);
    auto fiber = weft::spawn([]() -> int { throw std::runtime_error("oh"); });
    EXPECT_THROW((void)weft::select(weft::join(fiber, [](int) {})), std::runtime_error);
    EXPECT_FALSE(fiber.joinable());
  });
}

TEST(Select, OfAFiberThatReturnsAResultGivesTheResult) {
  stranger::in_fiber([] {
    auto fiber = weft::spawn([]() -> weft::Result<int> { return Errc::closed; });
    std::error_code error;
    EXPECT_TRUE(weft::select(weft::join(fiber, [&](weft::Result<int> result) { error = result.error(); })));
    EXPECT_EQ(error, Errc::closed);
  });
}

}  // namespace
