// SPDX-License-Identifier: Apache-2.0
// The alarm of the loop over the kernel: deadlines are met with it and without.
#include "event_loop/polling/epoll_event_loop.hpp"

#include "base/clock.hpp"
#include "support/sim_runner.hpp"
#include "support/sim_sockets.hpp"
#include "sys/fault.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace weft {
namespace {

using namespace std::chrono_literals;
using sys::Call;

/// Far enough for an alarm (50 ms), also if the thread gets no CPU for a while between two looks at the
/// clock.
constexpr auto kFar = 300ms;

/// What a sleep takes at most: a poll for each level of the wheel that its deadline comes down from (two),
/// for the alarm, the deadline, and an interruption. Which of these fall together is the host's affair; a
/// loop that did not sleep would poll thousands of times.
constexpr std::uint64_t kPollsOfASleep = 6;

/// A fiber that sleeps as often, one after the other, in a loop of its own; what that called.
sys::CallCounts counts_of_sleeps(int count, std::chrono::milliseconds time) {
  test::LoopRunner<EpollEventLoop> runner(EpollEventLoop::create().value());
  const sys::CallCounter counter;
  runner.spawn([&] {
    for (int i = 0; i < count; ++i) {
      const Deadline deadline = Deadline::after(time);
      test::sleep_until(deadline);
      EXPECT_GE(now_ns(), deadline.time_ns());
    }
  });
  runner.run();
  return counter.counts();
}

TEST(EpollEventLoopAlarm, AFarDeadlineIsOneSettingOfTheAlarm) {
  const sys::CallCounts counts = counts_of_sleeps(3, kFar);
  EXPECT_EQ(counts[Call::timer_fd_set], 3u);
  EXPECT_LE(counts[Call::epoll_wait], 3 * kPollsOfASleep);
}

TEST(EpollEventLoopAlarm, ANearDeadlineIsNone) {
  EXPECT_EQ(counts_of_sleeps(3, 5ms)[Call::timer_fd_set], 0u);
}

TEST(EpollEventLoopAlarm, WithoutOneDeadlinesAreTimeouts) {
  sys::FaultPlan faults;
  faults.fail(Call::timer_fd_create, EPERM);
  const sys::CallCounts counts = counts_of_sleeps(2, kFar);
  EXPECT_EQ(counts[Call::timer_fd_set], 0u);
  EXPECT_LE(counts[Call::epoll_wait], 2 * kPollsOfASleep);
}

TEST(EpollEventLoopAlarm, OneThatCannotBeSetIsATimeout) {
  sys::FaultPlan faults;
  faults.fail(Call::timer_fd_set, ECANCELED);
  EXPECT_LE(counts_of_sleeps(2, kFar)[Call::epoll_wait], 2 * kPollsOfASleep);
}

}  // namespace
}  // namespace weft
