// SPDX-License-Identifier: Apache-2.0
#include "sys/epoll.hpp"

#include "base/clock.hpp"
#include "base/sanitizers.hpp"
#include "sys/errors.hpp"
#include "sys/event_fd.hpp"
#include "sys/fault.hpp"
#include "sys/io.hpp"

#include <array>
#include <fcntl.h>
#include <limits>
#include <thread>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

constexpr std::int64_t kMs = 1'000'000;

/// Both ways of waiting: epoll_pwait2, and the fallback after the kernel refused it with the given errno.
class EpollTest : public testing::TestWithParam<int> {
 protected:
  EpollTest() {
    if (GetParam() == 0 || WEFT_TSAN) return;  // under TSan the fallback is all there is
    FaultPlan faults;
    faults.fail(Call::epoll_wait, GetParam());
    EXPECT_EQ(epoll_.wait(events_, 0).value(), 0u);
  }

  Epoll epoll_ = Epoll::create().value();
  EventFd ready_ = EventFd::create().value();
  std::array<epoll_event, 4> events_{};
};

INSTANTIATE_TEST_SUITE_P(Precise, EpollTest, testing::Values(0));
INSTANTIATE_TEST_SUITE_P(WithoutPwait2, EpollTest, testing::Values(ENOSYS));
INSTANTIATE_TEST_SUITE_P(SeccompSaysEperm, EpollTest, testing::Values(EPERM));

TEST_P(EpollTest, ReportsAnEventWithTheDataItWasAddedWith) {
  ASSERT_TRUE(epoll_.add(ready_.fd(), EPOLLIN, 0xfedcba9876543210u));
  ready_.notify();
  ASSERT_EQ(epoll_.wait(events_, kNoTimeout).value(), 1u);
  EXPECT_EQ(events_[0].data.u64, 0xfedcba9876543210u);
  EXPECT_EQ(events_[0].events, static_cast<std::uint32_t>(EPOLLIN));
}

TEST_P(EpollTest, NothingReadyGivesNoEventAtOnce) {
  ASSERT_TRUE(epoll_.add(ready_.fd(), EPOLLIN, 1));
  EXPECT_EQ(epoll_.wait(events_, 0).value(), 0u);
}

TEST_P(EpollTest, ModifyChangesEventsAndDataAndRemoveEndsThem) {
  ASSERT_TRUE(epoll_.add(ready_.fd(), EPOLLIN, 1));
  ASSERT_TRUE(epoll_.modify(ready_.fd(), EPOLLOUT, 2));
  ASSERT_EQ(epoll_.wait(events_, kNoTimeout).value(), 1u);
  EXPECT_EQ(events_[0].data.u64, 2u);
  ASSERT_TRUE(epoll_.remove(ready_.fd()));
  EXPECT_EQ(epoll_.wait(events_, 0).value(), 0u);
}

TEST_P(EpollTest, NeverReturnsBeforeTheTimeout) {
  for (std::int64_t timeout_ns : {std::int64_t{1}, std::int64_t{999'999}, kMs, kMs + 1, 3 * kMs / 2}) {
    const std::int64_t start = monotonic_ns();
    ASSERT_EQ(epoll_.wait(events_, timeout_ns).value(), 0u);
    EXPECT_GE(monotonic_ns() - start, timeout_ns);
  }
}

TEST_P(EpollTest, WaitsUntilADeadline) {
  const Deadline deadline = Deadline::at_ns(monotonic_ns() + 2 * kMs);
  ASSERT_EQ(epoll_.wait_until(events_, deadline).value(), 0u);
  EXPECT_GE(monotonic_ns(), deadline.time_ns());
}

TEST_P(EpollTest, ADeadlineInThePastOnlyLooks) {
  ASSERT_TRUE(epoll_.add(ready_.fd(), EPOLLIN, 1));
  EXPECT_EQ(epoll_.wait_until(events_, Deadline::at_ns(-5)).value(), 0u);
  // The difference to now did not fit: a wait without an end.
  EXPECT_EQ(epoll_.wait_until(events_, Deadline::at_ns(std::numeric_limits<std::int64_t>::min())).value(),
            0u);
  ready_.notify();
  EXPECT_EQ(epoll_.wait_until(events_, Deadline::at_ns(0)).value(), 1u);
}

TEST_P(EpollTest, WithoutADeadlineWaitsForAnotherThread) {
  ASSERT_TRUE(epoll_.add(ready_.fd(), EPOLLIN, 1));
  std::thread notifier([this] { ready_.notify(); });
  EXPECT_EQ(epoll_.wait_until(events_, Deadline::never()).value(), 1u);
  notifier.join();
}

TEST_P(EpollTest, TheLongestTimeoutIsAccepted) {
  ASSERT_TRUE(epoll_.add(ready_.fd(), EPOLLIN, 1));
  ready_.notify();
  EXPECT_EQ(epoll_.wait(events_, std::numeric_limits<std::int64_t>::max()).value(), 1u);
  EXPECT_EQ(epoll_.wait_until(events_, Deadline::at_ns(Deadline::never().time_ns() - 1)).value(), 1u);
}

TEST_P(EpollTest, AnInterruptedWaitGivesNoEvents) {
  ASSERT_TRUE(epoll_.add(ready_.fd(), EPOLLIN, 1));
  ready_.notify();
  FaultPlan faults;
  faults.fail(Call::epoll_wait, EINTR);
  EXPECT_EQ(epoll_.wait(events_, kNoTimeout).value(), 0u);
  EXPECT_EQ(epoll_.wait(events_, kNoTimeout).value(), 1u);
}

TEST_P(EpollTest, GivesAtMostAsManyEventsAsThereIsRoomFor) {
  const EventFd other = EventFd::create().value();
  ASSERT_TRUE(epoll_.add(ready_.fd(), EPOLLIN, 1));
  ASSERT_TRUE(epoll_.add(other.fd(), EPOLLIN, 2));
  ready_.notify();
  other.notify();
  EXPECT_EQ(epoll_.wait(std::span(events_).first(1), kNoTimeout).value(), 1u);
  EXPECT_EQ(epoll_.wait(events_, kNoTimeout).value(), 2u);
  FaultPlan faults;
  faults.shorten(Call::epoll_wait, 1);
  EXPECT_EQ(epoll_.wait(events_, kNoTimeout).value(), 1u);
}

TEST_P(EpollTest, MovingKeepsRegistrations) {
  ASSERT_TRUE(epoll_.add(ready_.fd(), EPOLLIN, 1));
  ready_.notify();
  Epoll moved = std::move(epoll_);
  EXPECT_EQ(moved.wait(events_, kNoTimeout).value(), 1u);
  epoll_ = std::move(moved);
  EXPECT_EQ(epoll_.wait(events_, kNoTimeout).value(), 1u);
}

TEST(Epoll, TheFallbackIsRememberedPerInstance) {
  std::array<epoll_event, 1> events;
  Epoll epoll = Epoll::create().value();
  ASSERT_TRUE(epoll.wait(events, 0));  // learns what this kernel has
  FaultPlan faults;
  faults.fail(Call::epoll_wait, ENOSYS);
  const bool was_precise = epoll.wait(events, 0).has_value();
  if (!was_precise) GTEST_SKIP() << "no epoll_pwait2 here";
  CallCounter counter;
  EXPECT_TRUE(epoll.wait(events, 0));
  EXPECT_EQ(counter.counts()[Call::epoll_wait], 1u) << "epoll_pwait2 is not tried again";
}

TEST(Epoll, FailuresOfTheKernelAreReported) {
  Epoll epoll = Epoll::create().value();
  const EventFd event = EventFd::create().value();
  ASSERT_TRUE(epoll.add(event.fd(), EPOLLIN, 0));
  EXPECT_TRUE(is_errno(epoll.add(event.fd(), EPOLLIN, 0).error(), EEXIST));
  EXPECT_TRUE(is_errno(epoll.add(-1, EPOLLIN, 0).error(), EBADF));
  const Fd file = open("/proc/self/exe", O_RDONLY).value();
  EXPECT_TRUE(is_errno(epoll.add(file.get(), EPOLLIN, 0).error(), EPERM));
  const EventFd stranger = EventFd::create().value();
  EXPECT_TRUE(is_errno(epoll.remove(stranger.fd()).error(), ENOENT));
  EXPECT_TRUE(is_errno(epoll.modify(stranger.fd(), EPOLLIN, 0).error(), ENOENT));
}

TEST(Epoll, RunningOutOfNumbersMemoryOrWatchesIsReported) {
  Epoll epoll = Epoll::create().value();
  const EventFd event = EventFd::create().value();
  FaultPlan faults;
  faults.fail(Call::epoll_create, EMFILE);
  EXPECT_TRUE(is_errno(Epoll::create().error(), EMFILE));
  for (int error : {ENOMEM, ENOSPC}) {
    faults.fail(Call::epoll_add, error);
    EXPECT_TRUE(is_errno(epoll.add(event.fd(), EPOLLIN, 0).error(), error));
  }
  EXPECT_TRUE(epoll.add(event.fd(), EPOLLIN, 0));
}

TEST(Epoll, OfNoInstanceFails) {
  Epoll none;
  std::array<epoll_event, 1> events;
  EXPECT_TRUE(is_errno(none.wait(events, 0).error(), EBADF));
  EXPECT_TRUE(is_errno(none.add(0, EPOLLIN, 0).error(), EBADF));
}

TEST(Epoll, EachKindOfControlIsCounted) {
  Epoll epoll = Epoll::create().value();
  const EventFd event = EventFd::create().value();
  CallCounter counter;
  ASSERT_TRUE(epoll.add(event.fd(), EPOLLIN, 0));
  ASSERT_TRUE(epoll.modify(event.fd(), EPOLLOUT, 0));
  ASSERT_TRUE(epoll.remove(event.fd()));
  const CallCounts counts = counter.counts();
  EXPECT_EQ(counts[Call::epoll_add], 1u);
  EXPECT_EQ(counts[Call::epoll_modify], 1u);
  EXPECT_EQ(counts[Call::epoll_remove], 1u);
  EXPECT_EQ(counts.epoll_ctl(), 3u);
}

TEST(TimeoutToMs, RoundsUpSoThatAWaitIsNeverTooShort) {
  EXPECT_EQ(timeout_to_ms(0), 0);
  EXPECT_EQ(timeout_to_ms(1), 1);
  EXPECT_EQ(timeout_to_ms(kMs - 1), 1);
  EXPECT_EQ(timeout_to_ms(kMs), 1);
  EXPECT_EQ(timeout_to_ms(kMs + 1), 2);
}

TEST(TimeoutToMs, NegativeIsForEverAndTheLargestIsClamped) {
  EXPECT_EQ(timeout_to_ms(-1), -1);
  EXPECT_EQ(timeout_to_ms(std::numeric_limits<std::int64_t>::min()), -1);
  EXPECT_EQ(timeout_to_ms(std::numeric_limits<std::int64_t>::max()), std::numeric_limits<int>::max());
  EXPECT_EQ(timeout_to_ms(std::numeric_limits<int>::max() * kMs), std::numeric_limits<int>::max());
}

}  // namespace
}  // namespace weft::sys
