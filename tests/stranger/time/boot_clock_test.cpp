// SPDX-License-Identifier: Apache-2.0
// Sleeps, ticks and scopes on the boot clock, as boot_clock.hpp describes them, on a machine that is awake.
#include "stranger/fibers/children.hpp"

#include <weft/weft.hpp>

#include <ctime>

namespace {

using namespace std::chrono_literals;
using stranger::in_fiber;
using weft::BootTime;

std::int64_t kernel_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

TEST(BootClock, ATimeIsThatOfTheKernelsBootClock) {
  const std::int64_t before = kernel_ns();
  const BootTime now = BootTime::now();
  EXPECT_LE(before, now.time_ns());
  EXPECT_LE(now.time_ns(), kernel_ns());
  EXPECT_EQ(BootTime::at_ns(5).time_ns(), 5);
  EXPECT_TRUE(BootTime().is_never());
}

TEST(BootClock, ASleepIsNotShort) {
  in_fiber([] {
    const std::int64_t before = kernel_ns();
    EXPECT_TRUE(weft::sleep_on_boot_clock(3ms));
    EXPECT_GE(kernel_ns() - before, 3'000'000);
    EXPECT_TRUE(weft::sleep_until(BootTime::at_ns(0)));
  });
}

TEST(BootClock, ASleepEndsWithItsFiberAndItsScope) {
  in_fiber([] {
    auto fiber = weft::spawn([] { return weft::Result<void>(weft::sleep_on_boot_clock(1h)); });
    weft::yield();
    fiber.cancel();
    EXPECT_EQ(fiber.join_uncancellable().error(), weft::Errc::cancelled);
    const weft::CancelScope scope(1ms);
    EXPECT_EQ(weft::sleep_until(BootTime::never()).error(), weft::Errc::timed_out);
  });
}

TEST(BootClock, TicksComeInOrderAndOnce) {
  in_fiber([] {
    weft::BootTicker ticker(1ms, weft::MissedTicks::kBurst);
    BootTime before = BootTime::at_ns(0);
    for (int i = 0; i < 5; ++i) {
      const weft::BootTick tick = ticker.tick().value();
      EXPECT_EQ(tick.missed, 0u);
      EXPECT_LT(before, tick.due);
      if (i > 0) {
        EXPECT_EQ(tick.due.time_ns() - before.time_ns(), 1'000'000);
      }
      before = tick.due;
    }
    EXPECT_EQ(weft::BootTicker(1h).tick_until(1ms).error(), weft::Errc::timed_out);
    EXPECT_THROW(weft::BootTicker(0ms), std::invalid_argument);
  });
}

TEST(BootClock, AScopeEndsItsWaitsAndThoseOfGroups) {
  in_fiber([] {
    weft::BootScope scope(2ms);
    weft::TaskGroup<void> group;
    group.spawn([] { return weft::Result<void>(weft::sleep(1h)); });
    EXPECT_EQ(group.wait().error(), weft::Errc::timed_out);
    EXPECT_EQ(scope.status().error(), weft::Errc::timed_out);
  });
}

TEST(BootClock, WorksInAChildOfFork) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  EXPECT_TRUE(weft::sleep_on_boot_clock(1ms));
  const stranger::Child child = stranger::in_child([] {
    if (!weft::sleep_on_boot_clock(1ms)) return 1;
    return weft::run([] { return weft::sleep_on_boot_clock(1ms) ? 0 : 2; });
  });
  EXPECT_EQ(child.exit_code(), 0) << child.text;
  EXPECT_TRUE(weft::sleep_on_boot_clock(1ms));
}

}  // namespace
