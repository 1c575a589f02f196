// SPDX-License-Identifier: Apache-2.0
#include "sys/splice.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/held_sigpipe.hpp"
#include "sys/syscall.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/sendfile.h>

namespace weft::sys {

[[gnu::noinline]] Result<std::size_t> splice(int from, int to, std::size_t size) noexcept {
  HeldSigpipe held;
  const long moved = retry(Call::splice, from, [&](std::size_t size_max) {
    return raw_answer(
        ::splice(from, nullptr, to, nullptr, std::min(size, size_max), SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
  });
  if (moved == -EPIPE) held.drop();
  return size_result(moved);
}

[[gnu::noinline]] Result<std::size_t> send_file(int from, int to, std::uint64_t offset,
                                                std::size_t size) noexcept {
  HeldSigpipe held;
  const long moved = retry(Call::send_file, to, [&](std::size_t size_max) {
    off_t position = static_cast<off_t>(offset);
    return raw_answer(::sendfile(to, from, &position, std::min(size, size_max)));
  });
  if (moved == -EPIPE) held.drop();
  return size_result(moved);
}

}  // namespace weft::sys
