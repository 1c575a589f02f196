// SPDX-License-Identifier: Apache-2.0
#include "compare_command.hpp"
#include "scenario.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace weft::tool::compare {
namespace {

using testing::Contains;
using testing::ElementsAre;

CompareCommand parsed(const std::string& line) {
  CLI::App app("weft");
  CompareCommand command;
  command.add_to(app);
  app.parse("compare " + line);
  return command;
}

TEST(CompareOptions, TheDefaultIsHttpWithAllStrategies) {
  const CompareCommand command = parsed("");
  EXPECT_EQ(command.scenario, "http");
  EXPECT_EQ(command.options.strategies, strategy_names());
  EXPECT_EQ(command.options.strategies.size(), 8u);
}

TEST(CompareOptions, ListsAreGivenWithCommas) {
  const CompareCommand command =
      parsed("churn --strategies lifetime,pinned --threads 1,8 --seconds 0.2 --rounds 1");
  EXPECT_EQ(command.scenario, "churn");
  EXPECT_THAT(command.options.strategies, ElementsAre("lifetime", "pinned"));
  EXPECT_THAT(command.options.threads, ElementsAre(1u, 8u));
  EXPECT_DOUBLE_EQ(command.options.seconds, 0.2);
  EXPECT_EQ(command.options.rounds, 1u);
}

TEST(CompareOptions, WhatDoesNotExistIsRefused) {
  for (const char* const line : {"nothing", "--strategies lifetimes", "--threads 0", "--threads x",
                                 "--seconds 0", "--rounds 0", "--handler /there/is/no.so", "--nonsense"}) {
    EXPECT_THROW(parsed(line), CLI::ParseError) << line;
  }
}

TEST(CompareOptions, AServerGetsItsStrategyAndTheUsersOptionsLast) {
  Options options;
  options.serve_options = {"--context", "sharded"};
  const Entry entry = serve_entry(options, "pinned", 2, {"--read-to-eagain"}, "a variant");
  EXPECT_THAT(entry.launch.arguments, Contains("pinned"));
  EXPECT_EQ(entry.launch.arguments.back(), "sharded");
  EXPECT_EQ(entry.row.name(), "pinned, a variant");
  EXPECT_EQ(entry.row.threads, 2u);
}

TEST(CompareOptions, AFileThatCannotBeWrittenIsSaidBeforeAnythingIsMeasured) {
  CompareCommand command;
  command.options.json = "/there/is/no/directory/results.json";
  testing::internal::CaptureStderr();
  EXPECT_EQ(command.run(), 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("cannot be written"));
}

}  // namespace
}  // namespace weft::tool::compare
