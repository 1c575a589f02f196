// SPDX-License-Identifier: Apache-2.0
#include <weft/all.hpp>
#include <weft/race.hpp>
#include <weft/this_fiber.hpp>
#include <weft/with_timeout.hpp>

#include <gtest/gtest.h>

#include "support/any_context.hpp"

#include <memory>
#include <stdexcept>
#include <string>

namespace weft {
namespace {

using namespace std::chrono_literals;

class Combinators : public test::InAnyContext {};
INSTANTIATE_TEST_SUITE_P(, Combinators, test::all_placements(), test::kind_name);

Result<int> wait_in_vain() {
  if (auto slept = sleep_until(Deadline::never()); !slept) return slept.error();
  return 0;
}

TEST_P(Combinators, AllGivesEverything) {
  run([] {
    bool called = false;
    auto results = all([] { return 1; }, []() -> Result<std::string> { return std::string("two"); },
                       [&] { called = true; }, []() -> Result<void> { return {}; },
                       [] { return std::make_unique<int>(5); });
    ASSERT_TRUE(results);
    EXPECT_EQ(std::get<0>(*results), 1);
    EXPECT_EQ(std::get<1>(*results), "two");
    EXPECT_TRUE(called);
    EXPECT_EQ(*std::get<4>(*results), 5);
    EXPECT_TRUE(all());
  });
}

TEST_P(Combinators, AllFailsWithTheFirstFailureAndCancelsTheRest) {
  run([] {
    EXPECT_EQ(all(wait_in_vain, []() -> Result<void> { return Errc::closed; }).error(), Errc::closed);
    EXPECT_THROW({ [[maybe_unused]] auto r = all(wait_in_vain, [] { throw std::runtime_error("oh"); }); },
                 std::runtime_error);
  });
}

TEST_P(Combinators, TheFirstToEndWinsTheRaceAndTheOthersAreJoined) {
  run([] {
    std::error_code loser;
    const auto lose = [&] {
      auto waited = wait_in_vain();
      loser = waited.error();
      return waited;
    };
    EXPECT_EQ(race(lose, [] { return 7l; }).value(), 7);
    EXPECT_EQ(loser, Errc::cancelled);
  });
}

TEST_P(Combinators, AFailureWinsTheRaceToo) {
  run([] {
    EXPECT_EQ(race(wait_in_vain, []() -> Result<int> { return Errc::closed; }).error(), Errc::closed);
    EXPECT_THROW(
        { [[maybe_unused]] auto r = race(wait_in_vain, []() -> int { throw std::runtime_error("oh"); }); },
        std::runtime_error);
  });
}

// The cancelled one may be through before the other has returned from its report.
TEST_P(Combinators, AFailureWinsAgainstThoseWhomItCancels) {
  run([] {
    for (int i = 0; i < 100; ++i) {
      const auto ended = race(wait_in_vain, wait_in_vain, []() -> Result<int> { return Errc::closed; });
      ASSERT_EQ(ended.error(), Errc::closed);
    }
  });
}

TEST_P(Combinators, ARaceOfWhatReturnsNothingGivesSuccess) {
  run([] {
    const Result<void> ended = race([] {}, [] { EXPECT_FALSE(sleep_until(Deadline::never())); });
    EXPECT_TRUE(ended);
  });
}

TEST_P(Combinators, ALosersExceptionIsDropped) {
  run([] {
    const auto throws_when_cancelled = []() -> int {
      [[maybe_unused]] const auto waited = wait_in_vain();
      throw std::runtime_error("late");
    };
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(race([] { return 1; }, throws_when_cancelled).value(), 1);
    }
  });
}

TEST_P(Combinators, ARaceInAScopeThatEndsIsLostByAll) {
  run([] {
    const auto lost = with_timeout(1ms, [] { return race(wait_in_vain, wait_in_vain); });
    EXPECT_EQ(lost.error(), Errc::timed_out);
  });
}

TEST_P(Combinators, WithTimeoutEndsWhatTakesTooLong) {
  run([] {
    EXPECT_EQ(with_timeout(1ms, wait_in_vain).error(), Errc::timed_out);
    EXPECT_EQ(with_timeout(1ms, [] { EXPECT_FALSE(sleep(1h)); }).error(), Errc::timed_out);
    EXPECT_EQ(with_timeout(1h, [] { return 5; }).value(), 5);
    EXPECT_TRUE(with_timeout(1h, [] { EXPECT_TRUE(sleep(1ms)); }));
    EXPECT_EQ(with_deadline(Deadline::after(1ms), [] { return sleep(1h); }).error(), Errc::timed_out);
  });
}

}  // namespace
}  // namespace weft
