// SPDX-License-Identifier: Apache-2.0
#include "sys/pipe.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <fcntl.h>

namespace weft::sys {

[[gnu::noinline]] Result<Pipe> create_pipe() noexcept {
  int fds[2] = {-1, -1};
  const long raw =
      attempt(Call::pipe, -1, [&](std::size_t) { return raw_answer(::pipe2(fds, O_NONBLOCK | O_CLOEXEC)); });
  if (raw < 0) return error_of(static_cast<int>(-raw));
  return Pipe{Fd(fds[0]), Fd(fds[1])};
}

}  // namespace weft::sys
