// SPDX-License-Identifier: Apache-2.0
#include "sys/timer_fd.hpp"

#include "base/clock.hpp"
#include "sys/epoll.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"

#include <array>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

/// An alarm in an epoll, edge-triggered and never read.
struct Watched {
  TimerFd timer = TimerFd::create().value();
  Epoll epoll = Epoll::create().value();
  std::array<epoll_event, 4> events{};

  Watched() { epoll.add(timer.fd(), EPOLLIN | EPOLLET, 7).value(); }
  /// A wait may be interrupted: some ms after a thread closed an io_uring, as SendRing's tests do, the kernel
  /// has work for it that ends its epoll_wait.
  std::size_t wait(std::int64_t timeout_ns) {
    const std::int64_t end = monotonic_ns() + timeout_ns;
    std::size_t count = epoll.wait(events, timeout_ns).value();
    while (count == 0 && monotonic_ns() < end) count = epoll.wait(events, end - monotonic_ns()).value();
    return count;
  }
};

TEST(TimerFd, RingsAtItsTimeAndNotBefore) {
  Watched watched;
  const std::int64_t at = monotonic_ns() + kSecond / 50;
  watched.timer.set(at).value();
  EXPECT_EQ(watched.wait(60 * kSecond), 1u);
  EXPECT_GE(monotonic_ns(), at);
  EXPECT_EQ(watched.wait(0), 0u) << "once";
}

TEST(TimerFd, RingsAtOnceIfItsTimeHasPassed) {
  Watched watched;
  watched.timer.set(1).value();
  EXPECT_EQ(watched.wait(60 * kSecond), 1u);
}

TEST(TimerFd, EachSettingIsAnEdgeWithoutARead) {
  Watched watched;
  for (int i = 0; i < 3; ++i) {
    watched.timer.set(monotonic_ns() + kSecond / 1000).value();
    EXPECT_EQ(watched.wait(60 * kSecond), 1u);
  }
}

TEST(TimerFd, TheLastSettingCounts) {
  Watched watched;
  watched.timer.set(monotonic_ns() + kSecond / 100).value();
  const std::int64_t later = monotonic_ns() + kSecond / 20;
  watched.timer.set(later).value();
  EXPECT_EQ(watched.wait(60 * kSecond), 1u);
  EXPECT_GE(monotonic_ns(), later);
}

TEST(TimerFd, WhatTheKernelRefusesIsReported) {
  TimerFd timer = TimerFd::create().value();
  FaultPlan faults;
  faults.fail(Call::timer_fd_create, EMFILE);
  EXPECT_TRUE(is_errno(TimerFd::create().error(), EMFILE));
  faults.fail(Call::timer_fd_set, ECANCELED);
  EXPECT_TRUE(is_errno(timer.set(1).error(), ECANCELED));
}

}  // namespace
}  // namespace weft::sys
