// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"
#include "base/sanitizers.hpp"
#include "sys/fd.hpp"

#include <weft/deadline.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/epoll.h>

namespace weft::sys {

/// The timeout of a wait without end.
inline constexpr std::int64_t kNoTimeout = -1;

/// An epoll instance. All methods but moves and destruction: any thread at any time.
class Epoll {
 public:
  static Result<Epoll> create() noexcept;

  /// Of no instance; every call fails with EBADF.
  Epoll() noexcept = default;
  Epoll(Epoll&& other) noexcept;
  Epoll& operator=(Epoll&& other) noexcept;

  int fd() const noexcept { return fd_.get(); }
  /// Somebody else closes the descriptor.
  void disown() noexcept { static_cast<void>(fd_.release()); }

  /// `events` are EPOLLIN and its like, EPOLLET included. Fails with EEXIST, EPERM (a file that cannot be
  /// polled), ENOSPC (max_user_watches), ENOMEM.
  Result<void> add(int fd, std::uint32_t events, std::uint64_t data) noexcept;
  Result<void> modify(int fd, std::uint32_t events, std::uint64_t data) noexcept;
  /// ENOENT: the number does not stand for the file that was added (it was closed, or dup2 went over it).
  Result<void> remove(int fd) noexcept;

  /// Waits for events: how many were written to `events`; 0 when the timeout passed or a signal came.
  /// Nanoseconds; negative waits for ever, 0 only looks. Never returns before the timeout without reason:
  /// where the kernel has no epoll_pwait2 the timeout is rounded up to milliseconds. REQUIRES: `events` is
  /// not empty.
  Result<std::size_t> wait(std::span<epoll_event> events, std::int64_t timeout_ns) noexcept;
  /// The same, until a time of the real monotonic clock.
  Result<std::size_t> wait_until(std::span<epoll_event> events, Deadline deadline) noexcept;

 private:
  explicit Epoll(Fd fd) noexcept : fd_(std::move(fd)) {}

  // TSan of gcc 12 and clang 14 does not intercept epoll_pwait2: it would miss the order it establishes.
  static constexpr bool kTryPwait2 = !WEFT_TSAN;

  Fd fd_;
  // False once epoll_pwait2 has turned out to be missing. Relaxed: a stale true costs one more ENOSYS.
  Atomic<bool> has_pwait2_{kTryPwait2};
};

/// Nanoseconds as the milliseconds of epoll_wait: rounded up, at most INT_MAX, -1 for any negative value.
int timeout_to_ms(std::int64_t timeout_ns) noexcept;

}  // namespace weft::sys
