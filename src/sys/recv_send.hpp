// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two calls that every request makes, inline: the kernel leaves nothing of the processor's predictions of
// returns, so each return behind a system call is mispredicted.

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <weft/result.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace weft::sys {

/// Returns 0 at the end of the stream.
WEFT_HOT_SYSCALL inline Result<std::size_t> recv(int fd, std::span<std::byte> buffer,
                                                 int flags = 0) noexcept {
  return size_result(retry(Call::recv, fd, [&](std::size_t size_max) {
    return raw_recv(fd, buffer.data(), std::min(buffer.size(), size_max), flags);
  }));
}

WEFT_HOT_SYSCALL inline Result<std::size_t> send(int fd, std::span<const std::byte> data,
                                                 int flags = 0) noexcept {
  return size_result(retry(Call::send, fd, [&](std::size_t size_max) {
    return raw_send(fd, data.data(), std::min(data.size(), size_max), flags | MSG_NOSIGNAL);
  }));
}

}  // namespace weft::sys
