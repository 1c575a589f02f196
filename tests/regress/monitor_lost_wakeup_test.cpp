// SPDX-License-Identifier: Apache-2.0
// What was wrong: close() wakes the monitor, which watches what does not end. A monitor that had found
// nothing to watch, and was on its way to park, parked all the same: the fibers that kept the context were
// never reported.
#include "execution_context/context.hpp"
#include "fiber/baton.hpp"
#include "fiber/fiber.hpp"
#include "support/contexts.hpp"

#include <weft/deadlock.hpp>

#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::Flag;

Fiber* fiber_of(Context& context) {
  Fiber* found = nullptr;
  for_each_fiber(StackPool::process(), nullptr, [&](Fiber& fiber) {
    if (fiber.home == &context) found = &fiber;
  });
  return found;
}

TEST(MonitorLostWakeup, AContextClosedWhileTheMonitorGoesToSleepIsReported) {
  Flag told;
  set_leak_report_after(20ms);
  set_leak_handler([&](const LeakReport& report) {
    if (report.context == "leaky") told.set();
  });
  {
    ConcurrentContext context("leaky");
    Baton may_end;
    auto handle = context.spawn([&] { may_end.take(); });  // no cancel ends that, and nobody knows what does
    Fiber& fiber = *fiber_of(detail::Access::core(context));
    while (!fiber.word.waiting()) std::this_thread::yield();
    {
      // The monitor asks, between its look and its sleep, whether this fiber is done.
      const std::scoped_lock monitor_waits(fiber.join_lock);
      while (fiber.slot().references.load(acquire) < 3) std::this_thread::yield();
      detail::Access::core(context).close();
    }
    EXPECT_TRUE(told.wait());
    may_end.give();
    handle.join_uncancellable();
  }
  set_leak_handler({});
  set_leak_report_after(2s);
}

}  // namespace
}  // namespace weft
