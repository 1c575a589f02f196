// SPDX-License-Identifier: Apache-2.0
#include "base/spin_backoff.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft {
namespace {

/// Not by the C library: its function is a cancellation point of pthreads.
void sleep_cpu(std::int64_t time_ns) noexcept {
  const int saved_errno = errno;
  const timespec time{.tv_sec = 0, .tv_nsec = time_ns};
  ::syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, nullptr);  // a signal only shortens it
  errno = saved_errno;
}

}  // namespace

void SpinBackoff::give_cpu_away() noexcept {
  if (yields_ < kYieldsBeforeSleep) {
    ++yields_;
    return yield_cpu();
  }
  sleep_cpu(sleep_ns_);
  sleep_ns_ = std::min(2 * sleep_ns_, kSleepMaxNs);
}

}  // namespace weft
