// SPDX-License-Identifier: Apache-2.0
#include "support/contexts.hpp"

#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <stdexcept>
#include <string>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;

class RunTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  RunOptions options() const { return {.parallelism = GetParam()}; }
};
INSTANTIATE_TEST_SUITE_P(Parallel, RunTest, testing::Values(1, 2, 4));

TEST_P(RunTest, ReturnsWhatMainReturns) {
  EXPECT_EQ(run(options(), [] { return 42; }), 42);
  EXPECT_EQ(run(options(), [] { return std::string("text"); }), "text");
  EXPECT_EQ(run(options(), [] {}), 0);
}

TEST_P(RunTest, ThrowsWhatEscapesFromMain) {
  EXPECT_THROW(run(options(), []() -> int { throw std::runtime_error("main"); }), std::runtime_error);
}

/// Those that have not started when main returns never do.
void wait_until_started(const Atomic<int>& started, int count) {
  while (started.load(relaxed) < count) yield();
}

TEST_P(RunTest, CancelsAndJoinsTheFibersThatAreLeft) {
  Atomic<int> started{0}, cancelled{0};
  const int result = run(options(), [&] {
    for (int i = 0; i < 10; ++i) {
      spawn([&] {
        started.fetch_add(1, relaxed);
        if (sleep(1h).error() == make_error_code(Errc::cancelled)) cancelled.fetch_add(1, relaxed);
        yield();
      });
    }
    wait_until_started(started, 10);
    return 3;
  });
  EXPECT_EQ(result, 3);
  EXPECT_EQ(cancelled.load(relaxed), 10);
}

TEST_P(RunTest, CancelsAndJoinsAlsoWhenMainThrows) {
  Atomic<int> started{0};
  bool cancelled = false;
  EXPECT_THROW(run(options(),
                   [&]() -> int {
                     spawn([&] {
                       started.store(1, relaxed);
                       cancelled = sleep(1h).error() == make_error_code(Errc::cancelled);
                     });
                     wait_until_started(started, 1);
                     throw std::runtime_error("main");
                   }),
               std::runtime_error);
  EXPECT_TRUE(cancelled);
}

TEST_P(RunTest, MainMayReturnWhileChildrenRun) {
  Atomic<int> started{0}, ended{0};
  run(options(), [&] {
    for (int i = 0; i < 20; ++i) {
      spawn([&] {
        started.fetch_add(1, relaxed);
        for (int step = 0; step < 50; ++step) yield();
        ended.fetch_add(1, relaxed);
      });
    }
    wait_until_started(started, 20);
  });
  EXPECT_EQ(ended.load(relaxed), 20);
}

TEST_P(RunTest, MayBeCalledAgainAndLeavesNoDescriptorOpen) {
  run(options(), [] {});
  const std::size_t files = test::open_files();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(run(options(), [i] { return spawn([i] { return i; }).join_uncancellable(); }), i);
  EXPECT_EQ(test::open_files(), files);
}

TEST_P(RunTest, TheDefaultContextHasAName) {
  EXPECT_EQ(run(options(), [] { return std::string(this_fiber::context_name()); }), "default");
}

TEST(RunDeathTest, RunInAFiberIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(run([] { run([] {}); }), "BUG: run\\(\\) is called in a fiber");
}

}  // namespace
}  // namespace weft
