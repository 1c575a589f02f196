// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/dump.hpp"

#include "support/contexts.hpp"

#include <weft/dump.hpp>
#include <weft/this_fiber.hpp>

#include <optional>
#include <string>
#include <vector>
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
            text = dump_to_string();
            sleeper.cancel();
          },
          {.name = "looker"})
      .join_uncancellable();
  EXPECT_THAT(text, ContainsRegex(
                        "\"sleeper\" .*spawned at .*dump_test.cpp:[0-9]+. suspended in context \"archive\""));
  EXPECT_THAT(text, ContainsRegex("\"waiting\" .* runnable in context \"archive\""));
  EXPECT_THAT(text, ContainsRegex("\"looker\" .* running in context \"archive\""));
  EXPECT_THAT(text, ContainsRegex("weft:   waits for its time, with a deadline\nweft:     "));
  EXPECT_THAT(text, ContainsRegex("weft: [0-9]+ fibers in all"));
}

TEST(DumpTest, FibersThatJoinEachOtherAreNamedAsADeadlock) {
  ConcurrentContext context("archive");
  std::string text;
  context
      .spawn([&] {
        std::optional<JoinHandle<void>> second;
        auto first = spawn([&] { static_cast<void>(second->join_until(Deadline::never())); });
        second = spawn([&] { static_cast<void>(first.join_until(Deadline::never())); });
        const std::uint64_t a = first.id();
        const std::uint64_t b = second->id();
        yield();
        yield();
        text = dump_to_string();
        EXPECT_THAT(text, testing::HasSubstr("waits for the end of fiber #" + std::to_string(a)));
        EXPECT_THAT(text, testing::HasSubstr("deadlock: #" + std::to_string(a) + " waits for #" +
                                             std::to_string(b) + " waits for #" + std::to_string(a)));
        first.cancel();
        yield();
      })
      .join_uncancellable();
}

// Race "the waiter goes on while it is looked at" (docs/design/dump.md): dumps on a plain thread while the
// fibers of two threads wait and are woken without a pause.
TEST(DumpTest, LooksAtFibersThatAreWokenMeanwhile) {
  ParallelContext context("busy", {.parallelism = 2});
  Atomic<bool> stop{false};
  std::vector<JoinHandle<void>> parents;
  for (int i = 0; i < 4; ++i) {
    parents.push_back(context.spawn([&] {
      while (!stop.load(relaxed)) spawn([] { yield(); }).join_uncancellable();
    }));
  }
  std::string text;
  for (int i = 0; i < 200; ++i) text = dump_to_string();
  stop.store(true, relaxed);
  for (auto& parent : parents) parent.join_uncancellable();
  EXPECT_THAT(text, ContainsRegex("in context \"busy\""));
}

TEST(DumpDeathTest, ABugComesWithTheFibersThatThereAre) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ConcurrentContext context("archive");
        auto sleeper = context.spawn([] { return sleep(1h).has_value(); }, {.name = "sleeper"});
        context.spawn([] { WEFT_PANIC("something is broken"); }, {.name = "broken"});
        sleeper.join_uncancellable();
      },
      "BUG: something is broken(.|\n)*\"sleeper\".* in context \"archive\"(.|\n)*fibers in all");
}

}  // namespace
}  // namespace weft
