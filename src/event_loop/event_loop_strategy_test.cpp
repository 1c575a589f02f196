// SPDX-License-Identifier: Apache-2.0
#include <weft/event_loop_strategy.hpp>

#include "event_loop/checked_strategy.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <system_error>

namespace weft {
namespace {

using Strategy = EventLoopStrategy;
using Placement = Strategy::Placement;
using Registration = Strategy::Registration;
using Ownership = Strategy::Ownership;

/// What the constructor of a context would say.
std::string refusal_of(const Strategy& strategy) {
  try {
    static_cast<void>(checked_strategy(strategy));
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::invalid_argument);
    return error.what();
  }
  return "";
}

/// Sets the variable for a test, and the default back to none.
class Environment {
 public:
  explicit Environment(const char* value) { ::setenv("WEFT_STRATEGY", value, 1); }
  ~Environment() {
    ::unsetenv("WEFT_STRATEGY");
    exchange_default_strategy(std::nullopt);
  }
};

TEST(EventLoopStrategyTest, EightHaveNamesAndAreParsedByThem) {
  ASSERT_EQ(Strategy::named().size(), 8u);
  for (const Strategy& strategy : Strategy::named()) {
    EXPECT_EQ(Strategy::parse(strategy.to_string()).value(), strategy);
    EXPECT_TRUE(strategy.objection().empty()) << strategy.to_string();
  }
  EXPECT_EQ(Strategy::parse("rearm-thread").value(), Strategy::rearm_thread());
  EXPECT_EQ(Strategy::parse("lifetime").value(), Strategy());
  EXPECT_EQ(Strategy::parse("Lifetime").error(), std::errc::invalid_argument);
  EXPECT_EQ(Strategy::parse("").error(), std::errc::invalid_argument);
}

TEST(EventLoopStrategyTest, OneWithoutANameIsPrintedByItsParts) {
  EXPECT_EQ((Strategy{Placement::kPerProcess, Registration::kPerWait, Ownership::kNone}).to_string(),
            "per_process+per_wait");
  EXPECT_EQ((Strategy{Placement::kPerThread, Registration::kLifetime, Ownership::kPinned}).to_string(),
            "per_thread+lifetime+pinned");
}

TEST(EventLoopStrategyTest, ACombinationThatMakesNoSenseIsRefusedWithTheReason) {
  const auto expect_refused = [](Strategy strategy, const char* why) {
    EXPECT_NE(refusal_of(strategy).find(why), std::string::npos) << refusal_of(strategy);
  };
  expect_refused({Placement::kPerContext, Registration::kLifetime, Ownership::kNone}, "is missing");
  expect_refused({Placement::kPerContext, Registration::kPerWait, Ownership::kPinned}, "only a lifetime");
  expect_refused({Placement::kPerThread, Registration::kBroadcast, Ownership::kTransfer}, "only a lifetime");
  expect_refused({Placement::kPerProcess, Registration::kBroadcast, Ownership::kNone}, "a broadcast needs");
  expect_refused({Placement::kDedicated, Registration::kLifetime, Ownership::kTransfer}, "a transfer needs");
  EXPECT_EQ(refusal_of({Placement::kDedicated, Registration::kLifetime, Ownership::kPinned}), "");
  EXPECT_THROW(set_default_event_loop_strategy({Placement::kPerContext, Registration::kAtOpen}),
               std::system_error);
}

TEST(EventLoopStrategyTest, TheDefaultIsWhatWasSetElseWhatTheEnvironmentNamesElseLifetime) {
  EXPECT_EQ(default_event_loop_strategy(), Strategy::lifetime());
  const Environment environment("pinned");
  EXPECT_EQ(default_event_loop_strategy(), Strategy::pinned());
  set_default_event_loop_strategy(Strategy::rearm_context());
  EXPECT_EQ(default_event_loop_strategy(), Strategy::rearm_context());
  EXPECT_EQ(checked_strategy(std::nullopt), Strategy::rearm_context());
  EXPECT_EQ(checked_strategy(Strategy::broadcast()), Strategy::broadcast());
}

TEST(EventLoopStrategyTest, AnEnvironmentThatNamesNoneIsRefusedWithTheNamesThereAre) {
  const Environment environment("fastest");
  try {
    static_cast<void>(default_event_loop_strategy());
    FAIL() << "it was accepted";
  } catch (const std::system_error& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("WEFT_STRATEGY=fastest"), std::string::npos) << what;
    EXPECT_NE(what.find("lifetime-thread"), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace weft
