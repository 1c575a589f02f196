// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/counters.hpp>
#include <weft/net/stream.hpp>

namespace weft::net {

/// A connected socket of the kernel: the common part of TcpStream and UnixStream.
///
/// Suspension: a call that reads or writes suspends only the calling fiber, and only when the kernel has no
/// data or no room.
///
/// Errors: the kernel's (category system); Errc::closed if the stream is closed before or during the call;
/// Errc::cancelled if the fiber is cancelled; Errc::timed_out if the deadline of an `_until` form passes.
/// After a timeout the call can be repeated. A read_some() or write_some() that fails has moved no bytes. The
/// whole-buffer forms report how many bytes they moved before the error. EPIPE or ECONNRESET: the peer is
/// gone. Errc::end_of_file: the peer has finished sending.
///
/// Deadlines: a deadline ends a call that has to wait. It also ends a loop of calls that never wait: after 64
/// operations without a switch, a call checks its deadline and fails with Errc::timed_out if it has passed,
/// even if there is data or room. The whole-buffer forms check their deadline after each step. A deadline in
/// the past is therefore not a way to read "only if data is ready".
///
/// Empty buffers: a call without bytes to move returns 0 at once, whatever the state of the stream. It does
/// not suspend.
///
/// Thread safety: one fiber may read while another writes, in the same context or in different ones. Several
/// fibers may read at once; each read returns a different piece of the data. Several fibers may write at
/// once: the bytes of one call are sent without bytes of other calls between them, even if the call has to
/// wait (write_all() of one or several buffers, the write of write_then_read_some()). The other writers wait
/// for their turn, in the order of their calls, until their deadline, cancellation, or close(). If a write
/// fails or times out after a part of its bytes, the next write follows that part. close() may be called
/// while other fibers are inside calls; those fail with Errc::closed. Moving and destroying require exclusive
/// access. A stream must be used in a fiber; it may be destroyed anywhere.
///
/// Registration: the event loop of the context whose fiber first has to wait registers the connection. When a
/// fiber of another context has to wait, the registration is transferred to that context's event loop, unless
/// another fiber waits on the connection at that time.
class StreamSocket : public Stream {
 public:
  /// Closes the connection. Suspends until the operations of other fibers have ended.
  ~StreamSocket() override;

  // These call the `_until` forms directly, without a virtual call.
  Result<std::size_t> read_some(MutableBuffer buffer) { return read_some_until(buffer, Deadline::never()); }
  Result<std::size_t> read_some(std::span<const std::span<std::byte>> buffers) {
    return read_some_until(buffers, Deadline::never());
  }
  Result<std::size_t> write_some(ConstBuffer data) { return write_some_until(data, Deadline::never()); }
  io::Progress write_all(ConstBuffer data) { return write_all_until(data, Deadline::never()); }
  io::Progress write_all(std::span<const std::span<const std::byte>> buffers) {
    return write_all_until(buffers, Deadline::never());
  }

  Result<std::size_t> read_some_until(MutableBuffer buffer, Deadline deadline) final;
  Result<std::size_t> read_some_until(std::span<const std::span<std::byte>> buffers, Deadline deadline) final;
  Result<std::size_t> read_some_until(BufferSource& source, Deadline deadline) final;
  Result<std::size_t> write_some_until(ConstBuffer data, Deadline deadline) final;
  io::Progress write_all_until(ConstBuffer data, Deadline deadline) final;
  io::Progress write_all_until(std::span<const std::span<const std::byte>> buffers, Deadline deadline) final;
  using Stream::write_then_read_some_until;
  Result<std::size_t> write_then_read_some_until(ConstBuffer data, BufferSource& source,
                                                 const ExchangeDeadlines& deadlines) final;
  Result<void> wait_readable(Deadline deadline = Deadline::never()) final;
  Result<void> wait_writable(Deadline deadline = Deadline::never()) final;
  using Stream::wait_closed;
  Result<void> wait_closed(PeerEnd end, Deadline deadline = Deadline::never()) final;

  /// Ends sending (the peer then reads the end of the file), receiving, or both. Does not suspend. Plain
  /// threads may call it too.
  Result<void> shutdown(ShutdownMode mode) final;
  /// Closes the connection. Calls of other fibers fail with Errc::closed. Suspends until those calls have
  /// returned; then the kernel's descriptor is closed. Errc::closed if the stream was closed before.
  Result<void> close() final;
  bool is_open() const noexcept final;

  /// Sizes in bytes. The kernel doubles the given size, within its limits, and the getters return the doubled
  /// size. EINVAL if negative. Errc::unsupported in a simulation.
  Result<void> set_send_buffer_size(int bytes);
  Result<void> set_receive_buffer_size(int bytes);
  Result<int> send_buffer_size() const;
  Result<int> receive_buffer_size() const;

  /// Counts of what has happened to this connection so far.
  Result<DescriptorCounters> counters() const;
  /// The file descriptor's number, for system calls that weft does not offer, or -1 if closed. The stream
  /// still owns it.
  int native_handle() const noexcept;

 protected:
  StreamSocket() noexcept = default;
  explicit StreamSocket(weft::detail::DescriptorHandle handle) noexcept : handle_(handle) {}
  StreamSocket(StreamSocket&& other) noexcept : handle_(other.handle_.take()) {}
  StreamSocket& operator=(StreamSocket&& other) noexcept;

  weft::detail::DescriptorHandle handle_;

 private:
  friend struct weft::detail::StreamAccess;
  weft::detail::DescriptorHandle descriptor() const noexcept final { return handle_; }
};

}  // namespace weft::net
