// SPDX-License-Identifier: Apache-2.0
#pragma once

// The system calls of the operations, by what stands behind the descriptor. A socket is the hot path; the
// rest is a call away. Suspends: no.

#include "event_loop/descriptor/descriptor.hpp"
#include "sys/recv_send.hpp"

#include <weft/result.hpp>

#include <cstddef>
#include <span>
#include <sys/uio.h>

namespace weft {

Result<std::size_t> read_other(Descriptor& descriptor, std::span<const iovec> buffers);
Result<std::size_t> write_other(Descriptor& descriptor, std::span<const iovec> buffers);
Result<std::size_t> read_other(Descriptor& descriptor, std::span<std::byte> buffer);
Result<std::size_t> write_other(Descriptor& descriptor, std::span<const std::byte> data);

inline Result<std::size_t> read_now(Descriptor& descriptor, std::span<std::byte> buffer) {
  if (is_socket(descriptor.kind)) [[likely]]
    return sys::recv(descriptor.fd, buffer);
  return read_other(descriptor, buffer);
}

inline Result<std::size_t> write_now(Descriptor& descriptor, std::span<const std::byte> data) {
  if (is_socket(descriptor.kind)) [[likely]]
    return sys::send(descriptor.fd, data);
  return write_other(descriptor, data);
}

Result<std::size_t> read_now(Descriptor& descriptor, std::span<const iovec> buffers);
Result<std::size_t> write_now(Descriptor& descriptor, std::span<const iovec> buffers);

/// EAGAIN: an operation of that direction would have to wait.
Result<void> look_now(Descriptor& descriptor, Direction direction);

}  // namespace weft
