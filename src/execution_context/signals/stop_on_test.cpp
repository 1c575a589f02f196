// SPDX-License-Identifier: Apache-2.0
#include "execution_context/signals/signal_inbox.hpp"

#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <csignal>
#include <unistd.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;

class StopOnTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  RunOptions options() const { return {.parallelism = GetParam(), .stop_on = {SIGUSR1, SIGUSR2}}; }
};
INSTANTIATE_TEST_SUITE_P(Parallel, StopOnTest, testing::Values(1, 2, 4));

TEST_P(StopOnTest, TheFirstSignalCancelsTheWaitsOfMain) {
  const std::error_code error = run(options(), [] {
    ::kill(::getpid(), SIGUSR1);
    return sleep_until(Deadline::never()).error();
  });
  EXPECT_EQ(error, Errc::cancelled);
}

TEST_P(StopOnTest, WithoutASignalNothingEndsAndTheActionIsPutBack) {
  EXPECT_EQ(run(options(),
                [] {
                  struct sigaction action {};
                  ::sigaction(SIGUSR1, nullptr, &action);
                  EXPECT_NE(action.sa_handler, SIG_DFL);
                  return sleep(1ms) ? 5 : 6;
                }),
            5);
  struct sigaction action {};
  ::sigaction(SIGUSR1, nullptr, &action);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
}

TEST_P(StopOnTest, ACancelIsStickyForAllOfMain) {
  run(options(), [] {
    raise_signal(SIGUSR2);
    EXPECT_EQ(sleep(1h).error(), Errc::cancelled);
    EXPECT_EQ(sleep(1h).error(), Errc::cancelled);
    EXPECT_TRUE(this_fiber::cancel_requested());
  });
}

TEST(StopOnRefusalTest, ASignalThatCannotBeCaughtIsRefused) {
  EXPECT_THROW(run(RunOptions{.stop_on = {SIGKILL}}, [] {}), std::system_error);
}

TEST(SignalInboxTest, TheSendersOfTheLatestSixteenAreKnown) {
  SignalInbox inbox;
  pid_t sender = -1;
  EXPECT_FALSE(inbox.take(sender));
  for (pid_t i = 1; i <= 20; ++i) inbox.put(i);
  for (pid_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(inbox.take(sender));
    EXPECT_EQ(sender, i <= 4 ? 0 : i);
  }
  EXPECT_FALSE(inbox.take(sender));
}

}  // namespace
}  // namespace weft
