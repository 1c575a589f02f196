// SPDX-License-Identifier: Apache-2.0
#include "sys/timer_fd.hpp"

#include "base/panic.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <ctime>
#include <sys/timerfd.h>
#include <unistd.h>

namespace weft::sys {

namespace {

[[gnu::noinline]] long raw_create(int clock, int flags) noexcept {
  return attempt(Call::timer_fd_create, -1,
                 [&](std::size_t) { return raw_answer(::timerfd_create(clock, flags | TFD_CLOEXEC)); });
}

}  // namespace

Result<TimerFd> TimerFd::create() noexcept {
  const long fd = raw_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  if (fd < 0) return error_of(static_cast<int>(-fd));
  return TimerFd(Fd(static_cast<int>(fd)));
}

Result<TimerFd> TimerFd::create_on_boot_clock() noexcept {
  const long fd = raw_create(CLOCK_BOOTTIME, 0);
  if (fd < 0) return error_of(static_cast<int>(-fd));
  return TimerFd(Fd(static_cast<int>(fd)));
}

[[gnu::noinline]] void TimerFd::wait() noexcept {
  std::uint64_t rings = 0;
  [[maybe_unused]] const long raw = retry(Call::read, fd_.get(), [&](std::size_t) {
    return raw_answer(::read(fd_.get(), &rings, sizeof(rings)));
  });
  WEFT_ASSERT(raw == sizeof(rings), "a timer cannot be waited for", WEFT_VALUE(-raw));
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
