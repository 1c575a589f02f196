// SPDX-License-Identifier: Apache-2.0
#include "sys/write_no_signal.hpp"

#include "base/atomic.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/held_sigpipe.hpp"
#include "sys/iovec.hpp"
#include "sys/syscall.hpp"

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100
#endif

namespace weft::sys {
namespace {

// Relaxed: whoever does not see it yet finds out by itself.
Atomic<bool> flag_is_unknown{false};
Atomic<bool> pretends{false};

long write_with_flag(int fd, std::span<const iovec> buffers) noexcept {
  return retry(Call::write, fd, [&](std::size_t size_max) -> long {
    if (pretends.load(relaxed)) return -EOPNOTSUPP;
    const ShortenedBuffers shortened(buffers, size_max);
    return raw_answer(::pwritev2(fd, shortened.data(), shortened.count(), -1, RWF_NOSIGNAL));
  });
}

long write_with_signal_held(int fd, std::span<const iovec> buffers) noexcept {
  HeldSigpipe held;
  const long written = retry(Call::write, fd, [&](std::size_t size_max) {
    const ShortenedBuffers shortened(buffers, size_max);
    return raw_answer(::writev(fd, shortened.data(), shortened.count()));
  });
  if (written == -EPIPE) held.drop();
  return written;
}

}  // namespace

[[gnu::noinline]] Result<std::size_t> write_no_signal(int fd, std::span<const iovec> buffers) noexcept {
  if (!flag_is_unknown.load(relaxed)) {
    const long written = write_with_flag(fd, buffers);
    if (written != -EOPNOTSUPP && written != -ENOSYS) return size_result(written);
    flag_is_unknown.store(true, relaxed);
  }
  return size_result(write_with_signal_held(fd, buffers));
}

void pretend_no_signal_flag_unknown(bool on) noexcept {
  pretends.store(on, relaxed);
  flag_is_unknown.store(false, relaxed);
}

}  // namespace weft::sys
