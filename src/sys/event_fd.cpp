// SPDX-License-Identifier: Apache-2.0
#include "sys/event_fd.hpp"

#include "base/panic.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <sys/eventfd.h>

namespace weft::sys {

[[gnu::noinline]] Result<EventFd> EventFd::create() noexcept {
  const long fd = attempt(Call::event_fd_create, -1,
                          [](std::size_t) { return raw_answer(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); });
  if (fd < 0) return error_of(static_cast<int>(-fd));
  return EventFd(Fd(static_cast<int>(fd)));
}

[[gnu::noinline]] void EventFd::notify() const noexcept {
  const std::uint64_t one = 1;
  const long raw = retry(Call::event_fd_notify, fd_.get(),
                         [&](std::size_t) { return raw_write(fd_.get(), &one, sizeof(one)); });
  // EAGAIN: the counter is at its maximum, so it is readable already.
  WEFT_ASSERT(raw == sizeof(one) || raw == -EAGAIN, "eventfd cannot be notified", WEFT_VALUE(-raw));
}

[[gnu::noinline]] std::uint64_t EventFd::drain() const noexcept {
  std::uint64_t count = 0;
  const long raw = retry(Call::event_fd_drain, fd_.get(),
                         [&](std::size_t) { return raw_read(fd_.get(), &count, sizeof(count)); });
  WEFT_ASSERT(raw == sizeof(count) || raw == -EAGAIN, "eventfd cannot be drained", WEFT_VALUE(-raw));
  return count;
}

}  // namespace weft::sys
