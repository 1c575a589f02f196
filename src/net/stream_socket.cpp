// SPDX-License-Identifier: Apache-2.0
#include <weft/net/stream_socket.hpp>

#include "event_loop/descriptor/peer_watch.hpp"
#include "event_loop/operation/files.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"
#include "sys/errors.hpp"
#include "sys/socket_options.hpp"

#include <mutex>

namespace weft::net {
namespace {

Result<void> invalid_argument() noexcept { return sys::error_of(EINVAL); }

// From now on the kernel says of the peer what is our own doing.
void note_reading_ended(DescriptorHandle handle) noexcept {
  const DescriptorUse descriptor(handle);
  if (!descriptor) return;
  const std::scoped_lock lock(descriptor->lock);
  descriptor->peer.reading_ended = true;
}

}  // namespace

StreamSocket& StreamSocket::operator=(StreamSocket&& other) noexcept {
  io::transfer(handle_, other.handle_);
  return *this;
}

StreamSocket::~StreamSocket() { io::close_if_open(handle_); }

Result<std::size_t> StreamSocket::read_some_until(MutableBuffer buffer, Deadline deadline) {
  if (buffer.empty()) [[unlikely]]
    return std::size_t{0};
  require_fiber("read_some() of a stream");
  return Files::read(handle_, buffer, deadline);
}

Result<std::size_t> StreamSocket::read_some_until(std::span<const std::span<std::byte>> buffers,
                                                  Deadline deadline) {
  return io::read_vectored(handle_, buffers, deadline, "read_some() of a stream");
}

Result<std::size_t> StreamSocket::read_some_until(BufferSource& source, Deadline deadline) {
  require_fiber("read_some() of a stream");
  return Files::read_when_ready(handle_, source, deadline);
}

Result<std::size_t> StreamSocket::write_then_read_some_until(ConstBuffer data, BufferSource& source,
                                                             const ExchangeDeadlines& deadlines) {
  if (data.empty()) [[unlikely]]
    return read_some_until(source, deadlines.read);
  require_fiber("write_then_read_some() of a stream");
  return Files::write_then_read(handle_, data, source, deadlines);
}

Result<std::size_t> StreamSocket::write_some_until(ConstBuffer data, Deadline deadline) {
  if (data.empty()) [[unlikely]]
    return std::size_t{0};
  require_fiber("write_some() of a stream");
  return Files::write(handle_, data, deadline);
}

io::Progress StreamSocket::write_all_until(ConstBuffer data, Deadline deadline) {
  return io::write_whole(handle_, std::span<const std::byte>(data), deadline, "write_all() of a stream");
}

io::Progress StreamSocket::write_all_until(std::span<const std::span<const std::byte>> buffers,
                                           Deadline deadline) {
  return io::write_whole(handle_, buffers, deadline, "write_all() of a stream");
}

Result<void> StreamSocket::wait_readable(Deadline deadline) {
  require_fiber("wait_readable() of a stream");
  return Files::wait_ready(handle_, Direction::kRead, deadline);
}

Result<void> StreamSocket::wait_writable(Deadline deadline) {
  require_fiber("wait_writable() of a stream");
  return Files::wait_ready(handle_, Direction::kWrite, deadline);
}

Result<void> StreamSocket::wait_closed(PeerEnd end, Deadline deadline) {
  require_fiber("wait_closed() of a stream");
  return wait_for_peer(handle_, end, deadline);
}

Result<void> StreamSocket::shutdown(ShutdownMode mode) {
  if (mode == ShutdownMode::kRead) return weft::detail::end_reading(handle_);
  if (mode == ShutdownMode::kWrite) return Files::shutdown(handle_, SHUT_WR);
  note_reading_ended(handle_);
  return Files::shutdown(handle_, SHUT_RDWR);
}

Result<void> StreamSocket::close() { return io::close_once(handle_); }

bool StreamSocket::is_open() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }

Result<void> StreamSocket::set_send_buffer_size(int bytes) {
  if (bytes < 0) return invalid_argument();
  return io::with_fd(handle_, [&](int fd) { return sys::set_send_buffer_size(fd, bytes); });
}
Result<void> StreamSocket::set_receive_buffer_size(int bytes) {
  if (bytes < 0) return invalid_argument();
  return io::with_fd(handle_, [&](int fd) { return sys::set_receive_buffer_size(fd, bytes); });
}
Result<int> StreamSocket::send_buffer_size() const {
  return io::with_fd(handle_, [](int fd) { return sys::send_buffer_size(fd); });
}
Result<int> StreamSocket::receive_buffer_size() const {
  return io::with_fd(handle_, [](int fd) { return sys::receive_buffer_size(fd); });
}

Result<DescriptorCounters> StreamSocket::counters() const {
  DescriptorUse descriptor(handle_);
  if (!descriptor) return Errc::closed;
  const std::scoped_lock lock(descriptor->lock);
  return descriptor->counters;
}

int StreamSocket::native_handle() const noexcept { return io::number_of(handle_); }

}  // namespace weft::net

namespace weft::detail {

Result<void> end_reading(DescriptorHandle handle) {
  net::note_reading_ended(handle);
  return Files::shutdown(handle, SHUT_RD);
}

}  // namespace weft::detail
