// SPDX-License-Identifier: Apache-2.0
#include "sys/timer_fd.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <ctime>
#include <sys/timerfd.h>

namespace weft::sys {

[[gnu::noinline]] Result<TimerFd> TimerFd::create() noexcept {
  const long fd = attempt(Call::timer_fd_create, -1, [](std::size_t) {
    return raw_answer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  });
  if (fd < 0) return error_of(static_cast<int>(-fd));
  return TimerFd(Fd(static_cast<int>(fd)));
}

[[gnu::noinline]] Result<void> TimerFd::set(std::int64_t time_ns) noexcept {
  const itimerspec time{
      .it_interval = {},
      .it_value = {.tv_sec = time_ns / 1'000'000'000, .tv_nsec = time_ns % 1'000'000'000},
  };
  return void_result(attempt(Call::timer_fd_set, fd_.get(), [&](std::size_t) {
    return raw_answer(::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &time, nullptr));
  }));
}

}  // namespace weft::sys
