// SPDX-License-Identifier: Apache-2.0
#include "sys/fd.hpp"

#include "sys/fault.hpp"

#include <cerrno>
#include <unistd.h>

namespace weft::sys {

[[gnu::noinline]] void close(int fd) noexcept {
  const int saved_errno = errno;
  // An injected failure is of the kind that close() reports after it has given the number back.
  static_cast<void>(intercept(Call::close, fd));
  ::close(fd);
  errno = saved_errno;
}

}  // namespace weft::sys
