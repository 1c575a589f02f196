// SPDX-License-Identifier: Apache-2.0
#include "base/spin_backoff.hpp"

#include <sys/resource.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

/// How often the calling thread has gone to sleep so far.
long sleeps() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

constexpr std::uint32_t kLooksBeforeSleep = SpinBackoff::kLooksBeforeYield * SpinBackoff::kYieldsBeforeSleep;

TEST(SpinBackoff, YieldsBeforeItSleeps) {
  SpinBackoff backoff;
  for (std::uint32_t look = 0; look < kLooksBeforeSleep; ++look) {
    EXPECT_EQ(backoff.next_sleep_ns(), 0) << "before look " << look;
    backoff.pause();
  }
  EXPECT_EQ(backoff.next_sleep_ns(), SpinBackoff::kSleepMinNs);
}

TEST(SpinBackoff, SleepsLongerEachTimeUpToAMillisecond) {
  SpinBackoff backoff;
  for (std::uint32_t look = 0; look < kLooksBeforeSleep; ++look) backoff.pause();
  std::int64_t before_ns = 0;
  for (int sleep = 0; sleep < 8; ++sleep) {
    const std::int64_t next_ns = backoff.next_sleep_ns();
    EXPECT_GE(next_ns, before_ns);
    EXPECT_LE(next_ns, SpinBackoff::kSleepMaxNs);
    before_ns = next_ns;
    const long sleeps_before = sleeps();
    for (std::uint32_t look = 0; look < SpinBackoff::kLooksBeforeYield; ++look) backoff.pause();
    EXPECT_GT(sleeps(), sleeps_before);
  }
  EXPECT_EQ(before_ns, SpinBackoff::kSleepMaxNs);
}

TEST(SpinBackoff, LeavesErrnoAlone) {
  SpinBackoff backoff;
  errno = ENOENT;
  for (std::uint32_t look = 0; look < 2 * kLooksBeforeSleep; ++look) backoff.pause();
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace weft
