// SPDX-License-Identifier: Apache-2.0
// Neither sets nor stop_on nor an idle pool switch off the detection of deadlocks.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <atomic>
#include <csignal>

namespace {

using namespace std::chrono_literals;
TEST(SignalDeadlock, ADeadlockIsReportedBesideSetsStopOnAndAnIdlePool) {
  weft::Channel<int> never;
  std::atomic<int> reports{0};
  weft::set_deadlock_handler([&](const weft::DeadlockReport& report) {
    ++reports;
    EXPECT_EQ(report.fibers, 2u);
    never.close();  // it lets them go on
  });
  const weft::SignalSet idle{SIGUSR1};
  weft::run({.stop_on = {SIGUSR2}}, [&] {
    weft::blocking([] {}).value();  // its thread is there
    auto other = weft::spawn([&] { return never.receive().error(); });
    EXPECT_EQ(never.receive().error(), weft::Errc::closed);
    EXPECT_EQ(other.join_uncancellable(), weft::Errc::closed);
  });
  weft::set_deadlock_handler({});
  EXPECT_EQ(reports.load(), 1);
}

}  // namespace
