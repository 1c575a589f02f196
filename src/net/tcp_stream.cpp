// SPDX-License-Identifier: Apache-2.0
#include <weft/net/tcp_stream.hpp>

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/descriptor/peer_watch.hpp"
#include "event_loop/operation/files.hpp"
#include "event_loop/write_batch/write_turn.hpp"
#include "net/network_here.hpp"
#include "net/sockaddr.hpp"
#include "sys/errors.hpp"
#include "sys/iovec.hpp"
#include "sys/socket.hpp"
#include "sys/socket_options.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <tuple>

namespace weft::net {
namespace {

/// Buffers handed to the kernel in one call; more take more calls.
constexpr std::size_t kBuffersAtOnce = 16;

using IovecArray = std::array<iovec, kBuffersAtOnce>;

/// The first of `buffers` that are not empty; those that were looked at are taken off.
template <class Byte>
std::span<iovec> take_iovecs(std::span<const std::span<Byte>>& buffers, IovecArray& array) noexcept {
  std::size_t count = 0;
  for (; !buffers.empty() && count < array.size(); buffers = buffers.subspan(1)) {
    if (!buffers.front().empty()) array[count++] = sys::to_iovec(buffers.front());
  }
  return std::span(array).first(count);
}

Result<void> invalid_argument() noexcept { return sys::error_of(EINVAL); }

/// A buffer that is there all the time.
class FixedBuffer final : public BufferSource {
 public:
  explicit FixedBuffer(std::span<std::byte> buffer) noexcept : buffer_(buffer) {}
  std::span<std::byte> take() override { return buffer_; }
  void give_back() noexcept override {}

 private:
  std::span<std::byte> buffer_;
};

/// Names the call if it is made outside of a fiber, before it says what a stream would have told it.
[[gnu::cold]] Progress no_turn(const WriteTurn& turn) noexcept {
  require_fiber("TcpStream::write_all()");
  return {0, turn.error()};
}

/// The kernel took less than all of `data` at `step`, or nothing.
[[gnu::noinline]] Progress write_rest(const WriteTurn& turn, std::span<const std::byte> data,
                                      Result<std::size_t> step, Deadline deadline) {
  for (std::size_t moved = 0;;) {
    if (!step) return {moved, step.error()};
    moved += *step;
    if (moved == data.size()) return {moved, {}};
    if (deadline.passed()) return {moved, Errc::timed_out};
    step = Files::write_in_turn(*turn, data.subspan(moved), deadline);
  }
}

template <class Call>
auto with_fd(const detail::DescriptorHandle& handle, Call&& call) -> decltype(call(0)) {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  if (descriptor->fd < 0) return Errc::unsupported;  // simulated
  return call(descriptor->fd);
}

}  // namespace

TcpStream& TcpStream::operator=(TcpStream&& other) noexcept {
  if (this != &other) {
    if (handle_) std::ignore = close_descriptor(handle_);
    handle_ = other.handle_.take();
  }
  return *this;
}

TcpStream::~TcpStream() {
  if (handle_) std::ignore = close_descriptor(handle_);
}

Result<TcpStream> TcpStream::connect(const SocketAddress& address, Deadline deadline) {
  Result<DescriptorHandle> handle = network_here("TcpStream::connect()").connect(to_raw(address), deadline);
  if (!handle) return detail::failure_about(handle.error(), "connecting to", address.to_string());
  return TcpStream(*handle);
}

Result<TcpStream> TcpStream::connect(std::string_view address, Deadline deadline) {
  const Result<SocketAddress> parsed = SocketAddress::parse(address);
  if (!parsed) return detail::failure_about(parsed.error(), "connecting to", address);
  return connect(*parsed, deadline);
}

Result<std::size_t> TcpStream::read_some_until(MutableBuffer buffer, Deadline deadline) {
  if (buffer.empty()) [[unlikely]]
    return std::size_t{0};
  require_fiber("TcpStream::read_some()");
  return Files::read(handle_, buffer, deadline);
}

Result<std::size_t> TcpStream::read_some_until(BufferSource& source, Deadline deadline) {
  require_fiber("TcpStream::read_some()");
  return Files::read_when_ready(handle_, source, deadline);
}

Result<std::size_t> TcpStream::write_then_read_some_until(ConstBuffer data, MutableBuffer buffer,
                                                          const ExchangeDeadlines& deadlines) {
  if (buffer.empty()) [[unlikely]] {
    if (const Progress written = write_all_until(data, deadlines.write); !written) return written.error();
    return std::size_t{0};
  }
  FixedBuffer source(buffer);
  return write_then_read_some_until(data, source, deadlines);
}

Result<std::size_t> TcpStream::write_then_read_some_until(ConstBuffer data, BufferSource& source,
                                                          const ExchangeDeadlines& deadlines) {
  if (data.empty()) [[unlikely]]
    return read_some_until(source, deadlines.read);
  require_fiber("TcpStream::write_then_read_some()");
  return Files::write_then_read(handle_, data, source, deadlines);
}

Result<std::size_t> TcpStream::write_some_until(ConstBuffer data, Deadline deadline) {
  if (data.empty()) [[unlikely]]
    return std::size_t{0};
  require_fiber("TcpStream::write_some()");
  return Files::write(handle_, data, deadline);
}

Progress TcpStream::read_exact_until(MutableBuffer whole, Deadline deadline) {
  const std::span<std::byte> buffer = whole;
  std::size_t moved = 0;
  while (moved < buffer.size()) {
    const Result<std::size_t> step = read_some_until(buffer.subspan(moved), deadline);
    if (!step) return {moved, step.error()};
    moved += *step;
    if (moved < buffer.size() && deadline.passed()) return {moved, Errc::timed_out};
  }
  return {moved, {}};
}

Progress TcpStream::write_all_until(ConstBuffer data, Deadline deadline) {
  if (data.empty()) return {0, {}};
  const WriteTurn turn(handle_, deadline);
  if (!turn) [[unlikely]]
    return no_turn(turn);
  const Result<std::size_t> step = Files::write_in_turn(*turn, data, deadline);
  if (step && *step == data.size()) [[likely]]
    return {data.size(), {}};
  return write_rest(turn, data, step, deadline);
}

Progress TcpStream::write_all_until(std::span<const std::span<const std::byte>> buffers, Deadline deadline) {
  IovecArray array;
  std::span<iovec> left = take_iovecs(buffers, array);
  if (left.empty()) return {0, {}};
  const WriteTurn turn(handle_, deadline);
  if (!turn) return no_turn(turn);
  for (std::size_t moved = 0;;) {
    const Result<std::size_t> step = Files::write_vectored_in_turn(*turn, left, deadline);
    if (!step) return {moved, step.error()};
    moved += *step;
    left = sys::drop_front(left, *step);
    if (left.empty()) left = take_iovecs(buffers, array);
    if (left.empty()) return {moved, {}};
    if (deadline.passed()) return {moved, Errc::timed_out};
  }
}

Result<std::size_t> TcpStream::read_some_until(std::span<const std::span<std::byte>> buffers,
                                               Deadline deadline) {
  IovecArray array;
  const std::span<iovec> filled = take_iovecs(buffers, array);
  if (filled.empty()) return std::size_t{0};
  require_fiber("TcpStream::read_some()");
  return Files::read_vectored(handle_, filled, deadline);
}

Result<void> TcpStream::wait_readable(Deadline deadline) {
  require_fiber("TcpStream::wait_readable()");
  return Files::wait_ready(handle_, Direction::kRead, deadline);
}

Result<void> TcpStream::wait_writable(Deadline deadline) {
  require_fiber("TcpStream::wait_writable()");
  return Files::wait_ready(handle_, Direction::kWrite, deadline);
}

// From now on the kernel says of the peer what is our own doing.
void TcpStream::note_reading_ended(detail::DescriptorHandle handle) noexcept {
  const DescriptorUse descriptor(handle);
  if (!descriptor) return;
  const std::scoped_lock lock(descriptor->lock);
  descriptor->peer.reading_ended = true;
}

Result<void> TcpStream::wait_closed(PeerEnd end, Deadline deadline) {
  require_fiber("TcpStream::wait_closed()");
  return wait_for_peer(handle_, end, deadline);
}

Result<void> TcpStream::shutdown(ShutdownMode mode) { return shutdown(handle_, mode); }

Result<void> TcpStream::shutdown(detail::DescriptorHandle handle, ShutdownMode mode) {
  if (mode != ShutdownMode::kWrite) note_reading_ended(handle);
  const int how = mode == ShutdownMode::kRead ? SHUT_RD : mode == ShutdownMode::kWrite ? SHUT_WR : SHUT_RDWR;
  return Files::shutdown(handle, how);
}

Result<void> TcpStream::close() {
  if (!handle_) return Errc::closed;
  return close_descriptor(handle_);
}

Result<SocketAddress> TcpStream::local_address() const {
  require_fiber("TcpStream::local_address()");
  Result<sys::RawAddress> raw = Files::local_address(handle_);
  if (!raw) return raw.error();
  return from_raw(*raw);
}

Result<SocketAddress> TcpStream::peer_address() const {
  require_fiber("TcpStream::peer_address()");
  Result<sys::RawAddress> raw = Files::peer_address(handle_);
  if (!raw) return raw.error();
  return from_raw(*raw);
}

Result<void> TcpStream::set_no_delay(bool on) {
  return with_fd(handle_, [&](int fd) { return sys::set_no_delay(fd, on); });
}
Result<bool> TcpStream::no_delay() const {
  return with_fd(handle_, [](int fd) { return sys::no_delay(fd); });
}
Result<void> TcpStream::set_keep_alive(std::optional<std::chrono::seconds> idle) {
  if (idle && *idle < std::chrono::seconds(1)) return invalid_argument();
  std::optional<sys::KeepAlive> keep_alive;
  if (idle) keep_alive = sys::KeepAlive{.idle = *idle};
  return with_fd(handle_, [&](int fd) { return sys::set_keep_alive(fd, keep_alive); });
}
Result<void> TcpStream::set_linger(std::optional<std::chrono::seconds> timeout) {
  if (timeout && *timeout < std::chrono::seconds(0)) return invalid_argument();
  return with_fd(handle_, [&](int fd) { return sys::set_linger(fd, timeout); });
}
Result<void> TcpStream::set_send_buffer_size(int bytes) {
  if (bytes < 0) return invalid_argument();
  return with_fd(handle_, [&](int fd) { return sys::set_send_buffer_size(fd, bytes); });
}
Result<void> TcpStream::set_receive_buffer_size(int bytes) {
  if (bytes < 0) return invalid_argument();
  return with_fd(handle_, [&](int fd) { return sys::set_receive_buffer_size(fd, bytes); });
}
Result<int> TcpStream::send_buffer_size() const {
  return with_fd(handle_, [](int fd) { return sys::send_buffer_size(fd); });
}
Result<int> TcpStream::receive_buffer_size() const {
  return with_fd(handle_, [](int fd) { return sys::receive_buffer_size(fd); });
}

Result<DescriptorCounters> TcpStream::counters() const {
  DescriptorUse descriptor(handle_);
  if (!descriptor) return Errc::closed;
  std::scoped_lock lock(descriptor->lock);
  return descriptor->counters;
}

bool TcpStream::is_open() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }

int TcpStream::native_handle() const noexcept {
  return with_fd(handle_, [](int fd) -> Result<int> { return fd; }).value_or(-1);
}

}  // namespace weft::net
