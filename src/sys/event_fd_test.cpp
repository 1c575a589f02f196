// SPDX-License-Identifier: Apache-2.0
#include "sys/event_fd.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/io.hpp"

#include <array>
#include <limits>
#include <poll.h>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

bool readable(const EventFd& event) {
  pollfd poll{.fd = event.fd(), .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, 0) == 1;
}

TEST(EventFd, IsReadableFromNotifyToDrain) {
  const EventFd event = EventFd::create().value();
  EXPECT_FALSE(readable(event));
  event.notify();
  EXPECT_TRUE(readable(event));
  EXPECT_EQ(event.drain(), 1u);
  EXPECT_FALSE(readable(event));
}

TEST(EventFd, DrainTakesAllNotifications) {
  const EventFd event = EventFd::create().value();
  EXPECT_EQ(event.drain(), 0u);
  for (int i = 0; i < 3; ++i) event.notify();
  EXPECT_EQ(event.drain(), 3u);
}

TEST(EventFd, NotifyingAtTheMaximumIsNotAnError) {
  const EventFd event = EventFd::create().value();
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max() - 1;
  ASSERT_TRUE(write(event.fd(), std::as_bytes(std::span(&largest, 1))));
  event.notify();
  EXPECT_EQ(event.drain(), largest);
}

TEST(EventFd, AnInterruptedCallIsRetried) {
  const EventFd event = EventFd::create().value();
  FaultPlan faults;
  faults.fail(Call::event_fd_notify, EINTR, {.times = 2});
  faults.fail(Call::event_fd_drain, EINTR, {.times = 2});
  event.notify();
  EXPECT_EQ(event.drain(), 1u);
  EXPECT_EQ(faults.applied(), 4u);
}

TEST(EventFd, RunningOutOfNumbersIsReported) {
  FaultPlan faults;
  faults.fail(Call::event_fd_create, EMFILE);
  EXPECT_TRUE(is_errno(EventFd::create().error(), EMFILE));
}

TEST(EventFdDeathTest, NotifyingNoneIsABug) {
  const EventFd none;
  EXPECT_DEATH(none.notify(), "BUG: eventfd cannot be notified \\(-raw=9\\)");
}

}  // namespace
}  // namespace weft::sys
