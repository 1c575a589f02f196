// SPDX-License-Identifier: Apache-2.0
// A machine that is suspended is pretended: the boot clock goes on, the monotonic one does not.
#include <weft/boot_clock.hpp>

#include "support/any_context.hpp"
#include "support/sleeper.hpp"
#include "sync/time/boot_alarms.hpp"
#include "sys/fault.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/dump.hpp>
#include <weft/task_group.hpp>

#include <thread>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kHour = 3'600'000'000'000;

class BootClockTest : public test::InAnyContext {
 protected:
  bool simulated() const { return GetParam().kind == test::AnyContextKind::kSimulated; }
};
INSTANTIATE_TEST_SUITE_P(Contexts, BootClockTest, test::all_placements(), test::kind_name);

TEST_P(BootClockTest, ASleepEndsAtItsTimeAndNotBefore) {
  run([] {
    const BootTime end = BootTime::after(2ms);
    EXPECT_FALSE(end.passed());
    EXPECT_TRUE(sleep_until(end));
    EXPECT_TRUE(end.passed());
    EXPECT_TRUE(sleep_on_boot_clock(0ms));
    EXPECT_TRUE(sleep_on_boot_clock(-1h));
  });
}

TEST_P(BootClockTest, ASleepOfADayEndsWhenTheMachineWasSuspendedForOne) {
  if (simulated()) GTEST_SKIP() << "its machine is never suspended";
  auto day = test::spawn_suspended(context, [] { return Result<void>(sleep_on_boot_clock(24h)); });
  auto ordinary = test::spawn_suspended(context, [] { return Result<void>(sleep(24h)); });
  BootAlarms::pretend_suspended(23 * kHour);
  EXPECT_FALSE(day.done());
  BootAlarms::pretend_suspended(kHour);
  EXPECT_TRUE(day.join_uncancellable());
  EXPECT_FALSE(ordinary.done());
  ordinary.cancel();
  EXPECT_EQ(ordinary.join_uncancellable().error(), Errc::cancelled);
}

TEST_P(BootClockTest, ASimulatedDayTakesNoTime) {
  if (!simulated()) GTEST_SKIP() << "it would";
  run([] {
    const BootTime before = BootTime::now();
    EXPECT_TRUE(sleep_on_boot_clock(24h));
    EXPECT_EQ(BootTime::now().time_ns() - before.time_ns(), 24 * kHour);
    {
      const BootScope scope(1h);
      EXPECT_EQ(sleep(2h).error(), Errc::timed_out);
    }
    BootTicker ticker(1min);
    EXPECT_EQ(ticker.tick().value().missed, 0u);
  });
}

TEST_P(BootClockTest, ASleepIsCancelledAndEndsWithItsScope) {
  if (!simulated()) {
    auto sleeper = test::spawn_suspended(context, [] { return Result<void>(sleep_on_boot_clock(1h)); });
    sleeper.cancel();
    EXPECT_EQ(sleeper.join_uncancellable().error(), Errc::cancelled);
  }
  run([] {
    CancelScope scope(1ms);
    EXPECT_EQ(sleep_on_boot_clock(1h).error(), Errc::timed_out);
    EXPECT_EQ(sleep_on_boot_clock(0ms).error(), Errc::timed_out);
  });
}

TEST_P(BootClockTest, ManySleepersAreWokenEach) {
  run([] {
    TaskGroup<void> group;
    for (int i = 0; i < 100; ++i) group.spawn([i] { sleep_on_boot_clock(i * 10us).value(); });
    EXPECT_TRUE(group.wait());
  });
}

TEST_P(BootClockTest, TicksOfASuspendedMachineAreMissed) {
  if (simulated()) GTEST_SKIP() << "its machine is never suspended";
  BootTicker ticker(1h);
  auto waits = test::spawn_suspended(context, [&] { return ticker.tick().value(); });
  BootAlarms::pretend_suspended(3 * kHour + kHour / 2);
  EXPECT_EQ(waits.join_uncancellable().missed, 2u);
  EXPECT_EQ(ticker.try_tick().error(), Errc::would_block);
  run([&] { EXPECT_EQ(ticker.tick_until(1ms).error(), Errc::timed_out); });
}

TEST_P(BootClockTest, AScopeEndsWhileTheMachineIsSuspended) {
  if (simulated()) GTEST_SKIP() << "its machine is never suspended";
  auto waits = test::spawn_suspended(context, [] {
    BootScope lease(1h);
    const Result<void> slept = sleep_until(Deadline::never());
    EXPECT_EQ(lease.status().error(), Errc::timed_out);
    return slept;
  });
  BootAlarms::pretend_suspended(2 * kHour);
  EXPECT_EQ(waits.join_uncancellable().error(), Errc::timed_out);
}

TEST_P(BootClockTest, AScopeIsCancelledAndIsOpenUntilThen) {
  run([] {
    BootScope scope(1h);
    EXPECT_TRUE(scope.status());
    EXPECT_TRUE(sleep(1us));
    scope.cancel();
    EXPECT_EQ(sleep(1h).error(), Errc::cancelled);
    EXPECT_EQ(scope.status().error(), Errc::cancelled);
    const BootScope passed(BootTime::at_ns(0));
    const BootScope never(BootTime::never());
  });
}

TEST(BootClockThreadTest, APlainThreadSleepsToo) {
  const BootTime end = BootTime::after(1ms);
  EXPECT_TRUE(sleep_until(end));
  EXPECT_TRUE(end.passed());
}

TEST(BootClockFaultTest, AKernelWithoutTimersIsAnErrorAndTheNextCallWorks) {
  {
    sys::FaultPlan faults;
    faults.fail(sys::Call::timer_fd_set, EINVAL, {.times = sys::FaultRange::kAlways});
    EXPECT_EQ(sleep_on_boot_clock(1ms).error(), std::errc::invalid_argument);
    EXPECT_THROW(BootScope(BootTime::after(1ms)), std::system_error);
  }
  EXPECT_TRUE(sleep_on_boot_clock(1ms));
}

TEST(BootClockFaultTest, AKernelThatRefusesTheNextAlarmIsAskedAgain) {
  ConcurrentContext context("archive");
  auto later = test::spawn_suspended(context, [] { return Result<void>(sleep_on_boot_clock(1h)); });
  sys::FaultPlan faults;
  // The first call is the sleep's own, the others are made when it is over.
  faults.fail(sys::Call::timer_fd_set, EINVAL, {.skip = 1, .times = 2});
  EXPECT_TRUE(sleep_on_boot_clock(1ms));
  test::until([&] { return faults.applied() == 2; });
  BootAlarms::pretend_suspended(kHour);
  EXPECT_TRUE(later.join_uncancellable());
}

TEST(BootClockFaultTest, ADumpNamesTheWait) {
  ConcurrentContext context("archive");
  auto sleeper = test::spawn_suspended(context, [] { return Result<void>(sleep_on_boot_clock(1h)); });
  EXPECT_THAT(dump_to_string(), testing::HasSubstr("waits for its time on the boot clock"));
  sleeper.cancel();
  EXPECT_FALSE(sleeper.join_uncancellable());
}

TEST(BootTimeTest, TimesAreComparedAndSaturate) {
  EXPECT_LT(BootTime::now(), BootTime::never());
  EXPECT_EQ(BootTime::after(std::chrono::hours::max()), BootTime::never());
  EXPECT_TRUE(BootTime::at_ns(INT64_MIN).passed());
  EXPECT_FALSE(BootTime::never().passed());
  EXPECT_GE(BootTime::now().time_ns(), 0);
}

}  // namespace
}  // namespace weft
