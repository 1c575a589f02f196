// SPDX-License-Identifier: Apache-2.0
#include "sys/poll.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

namespace weft::sys {

namespace {

Result<bool> answer_of(long raw, const pollfd& entry) noexcept {
  if (raw < 0) return error_of(static_cast<int>(-raw));
  if ((entry.revents & POLLNVAL) != 0) return error_of(EBADF);
  return raw != 0;
}

}  // namespace

[[gnu::noinline]] Result<bool> poll_now(int fd, int events) noexcept {
  pollfd entry{.fd = fd, .events = static_cast<short>(events), .revents = 0};
  const long raw = retry(Call::poll, fd, [&](std::size_t) { return raw_answer(::poll(&entry, 1, 0)); });
  return answer_of(raw, entry);
}

[[gnu::noinline]] Result<bool> poll_for(int fd, int events, int timeout_ms) noexcept {
  pollfd entry{.fd = fd, .events = static_cast<short>(events), .revents = 0};
  const long raw =
      attempt(Call::poll, fd, [&](std::size_t) { return raw_answer(::poll(&entry, 1, timeout_ms)); });
  if (raw == -EINTR) return false;
  return answer_of(raw, entry);
}

}  // namespace weft::sys
