// SPDX-License-Identifier: Apache-2.0
#include "sys/poll.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

namespace weft::sys {

[[gnu::noinline]] Result<int> poll_events(int fd, int events) noexcept {
  pollfd entry{.fd = fd, .events = static_cast<short>(events), .revents = 0};
  const long raw = retry(Call::poll, fd, [&](std::size_t) { return raw_answer(::poll(&entry, 1, 0)); });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  if ((entry.revents & POLLNVAL) != 0) return error_of(EBADF);
  return entry.revents;
}

Result<bool> poll_now(int fd, int events) noexcept {
  const Result<int> found = poll_events(fd, events);
  if (!found) return found.error();
  return *found != 0;
}

[[gnu::noinline]] Result<bool> poll_for(int fd, int events, int timeout_ms) noexcept {
  pollfd entry{.fd = fd, .events = static_cast<short>(events), .revents = 0};
  const long raw =
      attempt(Call::poll, fd, [&](std::size_t) { return raw_answer(::poll(&entry, 1, timeout_ms)); });
  if (raw == -EINTR) return false;
  if (raw < 0) return error_of(static_cast<int>(-raw));
  if ((entry.revents & POLLNVAL) != 0) return error_of(EBADF);
  return raw != 0;
}

}  // namespace weft::sys
