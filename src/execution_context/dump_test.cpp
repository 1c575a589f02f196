// SPDX-License-Identifier: Apache-2.0
#include "execution_context/dump.hpp"

#include "support/contexts.hpp"

#include <weft/this_fiber.hpp>

#include <string>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using testing::ContainsRegex;

TEST(DumpTest, NamesEveryLiveFiberItsStateItsContextAndWhereItWasSpawned) {
  ConcurrentContext context("archive");
  std::string text;
  context
      .spawn(
          [&] {
            auto sleeper = spawn([] { return sleep(1h).has_value(); }, {.name = "sleeper"});
            yield();
            auto waiting = spawn([] {}, {.name = "waiting"});
            testing::internal::CaptureStderr();
            dump_fibers();
            text = testing::internal::GetCapturedStderr();
            sleeper.cancel();
          },
          {.name = "looker"})
      .join();
  EXPECT_THAT(text, ContainsRegex(
                        "\"sleeper\" .*spawned at .*dump_test.cpp:[0-9]+. suspended in context \"archive\""));
  EXPECT_THAT(text, ContainsRegex("\"waiting\" .* runnable in context \"archive\""));
  EXPECT_THAT(text, ContainsRegex("\"looker\" .* running in context \"archive\""));
  EXPECT_THAT(text, ContainsRegex("weft: [0-9]+ fibers in all"));
}

TEST(DumpDeathTest, ABugComesWithTheFibersThatThereAre) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ConcurrentContext context("archive");
        auto sleeper = context.spawn([] { return sleep(1h).has_value(); }, {.name = "sleeper"});
        context.spawn([] { WEFT_PANIC("something is broken"); }, {.name = "broken"});
        sleeper.join();
      },
      "BUG: something is broken(.|\n)*\"sleeper\".* in context \"archive\"(.|\n)*fibers in all");
}

}  // namespace
}  // namespace weft
