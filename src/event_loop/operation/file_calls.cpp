// SPDX-License-Identifier: Apache-2.0
#include "event_loop/operation/file_calls.hpp"

#include "event_loop/descriptor/descriptor_backend.hpp"
#include "sys/errors.hpp"
#include "sys/io.hpp"
#include "sys/iovec.hpp"
#include "sys/poll.hpp"
#include "sys/socket.hpp"
#include "sys/write_no_signal.hpp"

namespace weft {

Result<std::size_t> read_other(Descriptor& descriptor, std::span<const iovec> buffers) {
  if (descriptor.kind == DescriptorKind::kSimulated) return descriptor.backend->read(buffers);
  return sys::read_vectored(descriptor.fd, buffers);
}

// A pipe without readers must not kill the process.
Result<std::size_t> write_other(Descriptor& descriptor, std::span<const iovec> buffers) {
  if (descriptor.kind == DescriptorKind::kSimulated) return descriptor.backend->write(buffers);
  return sys::write_no_signal(descriptor.fd, buffers);
}

Result<std::size_t> read_other(Descriptor& descriptor, std::span<std::byte> buffer) {
  const iovec buffers = sys::to_iovec(buffer);
  return read_other(descriptor, std::span(&buffers, 1));
}

Result<std::size_t> write_other(Descriptor& descriptor, std::span<const std::byte> data) {
  const iovec buffers = sys::to_iovec(data);
  return write_other(descriptor, std::span(&buffers, 1));
}

Result<std::size_t> read_now(Descriptor& descriptor, std::span<const iovec> buffers) {
  if (is_socket(descriptor.kind)) return sys::recv_vectored(descriptor.fd, buffers);
  return read_other(descriptor, buffers);
}

Result<std::size_t> write_now(Descriptor& descriptor, std::span<const iovec> buffers) {
  if (is_socket(descriptor.kind)) return sys::send_vectored(descriptor.fd, buffers);
  return write_other(descriptor, buffers);
}

Result<void> look_now(Descriptor& descriptor, Direction direction) {
  if (descriptor.kind == DescriptorKind::kSimulated) return descriptor.backend->look(direction);
  // Of somebody else's descriptor urgent data do not count: io/wait.cpp.
  const int read_events = is_socket(descriptor.kind) ? POLLIN | POLLRDHUP | POLLPRI : POLLIN | POLLRDHUP;
  const Result<bool> ready =
      sys::poll_now(descriptor.fd, direction == Direction::kRead ? read_events : POLLOUT);
  if (!ready) return ready.error();
  if (!*ready) return sys::error_of(EAGAIN);
  return {};
}

}  // namespace weft
