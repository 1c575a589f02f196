// SPDX-License-Identifier: Apache-2.0
#include "sys/epoll.hpp"

#include "base/clock.hpp"
#include "base/saturating.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <ctime>
#include <limits>
#include <utility>

namespace weft::sys {
namespace {

int count_of(std::span<epoll_event> events, std::size_t size_max) noexcept {
  constexpr std::size_t kCountMax = std::numeric_limits<int>::max() / sizeof(epoll_event);
  return static_cast<int>(std::max<std::size_t>(1, std::min({events.size(), size_max, kCountMax})));
}

timespec to_timespec(std::int64_t timeout_ns) noexcept {
  return {.tv_sec = timeout_ns / 1'000'000'000, .tv_nsec = timeout_ns % 1'000'000'000};
}

long wait_ns(int epoll, std::span<epoll_event> events, std::size_t size_max,
             std::int64_t timeout_ns) noexcept {
  const int count = count_of(events, size_max);
  // The shorter way to both, where there is one: newer architectures do not have it.
#ifdef SYS_epoll_wait
  if (kDirectSyscalls && timeout_ns <= 0)
    return direct_syscall(SYS_epoll_wait, epoll, address_of(events.data()), count, timeout_ns < 0 ? -1 : 0);
#endif
  const timespec timeout = to_timespec(timeout_ns);
  const timespec* const pointer = timeout_ns < 0 ? nullptr : &timeout;
  if constexpr (kDirectSyscalls)
    return direct_syscall(SYS_epoll_pwait2, epoll, address_of(events.data()), count, address_of(pointer));
  return raw_answer(::epoll_pwait2(epoll, events.data(), count, pointer, nullptr));
}

long wait_ms(int epoll, std::span<epoll_event> events, std::size_t size_max,
             std::int64_t timeout_ns) noexcept {
  return raw_answer(
      ::epoll_wait(epoll, events.data(), count_of(events, size_max), timeout_to_ms(timeout_ns)));
}

[[gnu::noinline]] long control(Call call, int epoll, int operation, int fd, epoll_event* event) noexcept {
  return attempt(call, fd, [&](std::size_t) { return raw_answer(::epoll_ctl(epoll, operation, fd, event)); });
}

}  // namespace

int timeout_to_ms(std::int64_t timeout_ns) noexcept {
  if (timeout_ns < 0) return -1;
  const std::int64_t whole_ms = timeout_ns / 1'000'000 + (timeout_ns % 1'000'000 != 0 ? 1 : 0);
  return static_cast<int>(std::min<std::int64_t>(whole_ms, std::numeric_limits<int>::max()));
}

[[gnu::noinline]] Result<Epoll> Epoll::create() noexcept {
  const long fd =
      attempt(Call::epoll_create, -1, [](std::size_t) { return raw_answer(::epoll_create1(EPOLL_CLOEXEC)); });
  if (fd < 0) return error_of(static_cast<int>(-fd));
  return Epoll(Fd(static_cast<int>(fd)));
}

Epoll::Epoll(Epoll&& other) noexcept
    : fd_(std::move(other.fd_)), has_pwait2_(other.has_pwait2_.load(relaxed)) {}

Epoll& Epoll::operator=(Epoll&& other) noexcept {
  fd_ = std::move(other.fd_);
  has_pwait2_.store(other.has_pwait2_.load(relaxed), relaxed);
  return *this;
}

Result<void> Epoll::add(int fd, std::uint32_t events, std::uint64_t data) noexcept {
  epoll_event event{.events = events, .data = {.u64 = data}};
  return void_result(control(Call::epoll_add, fd_.get(), EPOLL_CTL_ADD, fd, &event));
}

Result<void> Epoll::modify(int fd, std::uint32_t events, std::uint64_t data) noexcept {
  epoll_event event{.events = events, .data = {.u64 = data}};
  return void_result(control(Call::epoll_modify, fd_.get(), EPOLL_CTL_MOD, fd, &event));
}

Result<void> Epoll::remove(int fd) noexcept {
  return void_result(control(Call::epoll_remove, fd_.get(), EPOLL_CTL_DEL, fd, nullptr));
}

[[gnu::noinline]] Result<std::size_t> Epoll::wait(std::span<epoll_event> events,
                                                  std::int64_t timeout_ns) noexcept {
  if (has_pwait2_.load(relaxed)) [[likely]] {
    const long raw = attempt(Call::epoll_wait, fd_.get(), [&](std::size_t size_max) {
      return wait_ns(fd_.get(), events, size_max, timeout_ns);
    });
    if (raw >= 0) [[likely]]
      return static_cast<std::size_t>(raw);
    if (raw == -EINTR) return std::size_t{0};
    // EPERM: what seccomp filters older than the call say instead of ENOSYS.
    if (raw != -ENOSYS && raw != -EPERM) return error_of(static_cast<int>(-raw));
    has_pwait2_.store(false, relaxed);
  }
  const long raw = attempt(Call::epoll_wait, fd_.get(), [&](std::size_t size_max) {
    return wait_ms(fd_.get(), events, size_max, timeout_ns);
  });
  if (raw == -EINTR) return std::size_t{0};
  return size_result(raw);
}

Result<std::size_t> Epoll::wait_until(std::span<epoll_event> events, Deadline deadline) noexcept {
  if (deadline.is_never()) return wait(events, kNoTimeout);
  return wait(events, std::max<std::int64_t>(0, saturating_subtract(deadline.time_ns(), monotonic_ns())));
}

}  // namespace weft::sys
