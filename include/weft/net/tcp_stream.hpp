// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/buffer_source.hpp>
#include <weft/counters.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/descriptor_handle.hpp>
#include <weft/exchange_deadlines.hpp>
#include <weft/net/address.hpp>
#include <weft/net/progress.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace weft::net {

/// Which directions TcpStream::shutdown() ends.
enum class ShutdownMode { kRead, kWrite, kBoth };

/// A TCP connection.
///
/// Suspension: a call that reads or writes suspends only the calling fiber, and only when the kernel has no
/// data or no room.
///
/// Errors: the kernel's (category system); Errc::closed if the stream is closed before or during the call;
/// Errc::cancelled if the fiber is cancelled; Errc::timed_out if the deadline of an `_until` form passes.
/// After a timeout the call can be repeated. A read_some() or write_some() that fails has moved no bytes. The
/// whole-buffer forms report how many bytes they moved before the error.
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
class TcpStream {
 public:
  /// A stream without a connection: every call fails with Errc::closed.
  TcpStream() noexcept = default;
  explicit TcpStream(detail::DescriptorHandle handle) noexcept : handle_(handle) {}
  TcpStream(TcpStream&& other) noexcept : handle_(other.handle_.take()) {}
  TcpStream& operator=(TcpStream&& other) noexcept;
  /// Closes the connection. Suspends until the operations of other fibers have ended.
  ~TcpStream();

  /// Connects. Suspends. Errors: ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT and others of connect(2).
  static Result<TcpStream> connect(const SocketAddress& address, Deadline deadline = Deadline::never());
  /// Parses `address` with SocketAddress::parse first. Errc::invalid_address if that fails.
  static Result<TcpStream> connect(std::string_view address, Deadline deadline = Deadline::never());

  /// Reads the available bytes, at least one, and returns their number. Errc::end_of_file when the peer has
  /// finished sending. May suspend.
  Result<std::size_t> read_some(MutableBuffer buffer) { return read_some_until(buffer, Deadline::never()); }
  Result<std::size_t> read_some_until(MutableBuffer buffer, Deadline deadline);

  /// Fills the whole buffer. Errc::end_of_file if the peer finishes sending before that. May suspend.
  Progress read_exact(MutableBuffer buffer) { return read_exact_until(buffer, Deadline::never()); }
  Progress read_exact_until(MutableBuffer buffer, Deadline deadline);

  /// Writes as many bytes as the kernel has room for, at least one, and returns their number. EPIPE or
  /// ECONNRESET when the peer is gone. May suspend.
  Result<std::size_t> write_some(ConstBuffer data) { return write_some_until(data, Deadline::never()); }
  Result<std::size_t> write_some_until(ConstBuffer data, Deadline deadline);

  /// Writes all of `data`. May suspend.
  Progress write_all(ConstBuffer data) { return write_all_until(data, Deadline::never()); }
  Progress write_all_until(ConstBuffer data, Deadline deadline);

  /// Writes several buffers, in order, as if they were one. A system call takes up to 16 of them. May
  /// suspend.
  Progress write_all(std::span<const std::span<const std::byte>> buffers) {
    return write_all_until(buffers, Deadline::never());
  }
  Progress write_all_until(std::span<const std::span<const std::byte>> buffers, Deadline deadline);
  /// Reads the available bytes into several buffers, in order, and returns their total number. Uses at most
  /// the first 16 buffers that are not empty.
  Result<std::size_t> read_some(std::span<const std::span<std::byte>> buffers) {
    return read_some_until(buffers, Deadline::never());
  }
  Result<std::size_t> read_some_until(std::span<const std::span<std::byte>> buffers, Deadline deadline);

  /// Like read_some(), but takes the buffer from `source` only when there is probably something to read. If
  /// bytes were read, the buffer stays taken. At the end of the file and after an error it was given back.
  /// Meant for servers with many idle connections.
  Result<std::size_t> read_some_until(BufferSource& source, Deadline deadline);

  /// Writes all of `data`, then reads like read_some(). A server uses it between a response and the next
  /// request. `data` may lie in `buffer`. With empty `data` it only reads; with an empty `buffer` it only
  /// writes. May suspend.
  ///
  /// If there is nothing to read yet, the write may be delayed until the fiber's thread has nothing else to
  /// run. One system call then sends it together with the delayed writes of other fibers. The delay ends
  /// after 16 such writes or 61 switches, or after 20 ms if one fiber keeps the thread.
  ///
  /// An error comes from the write or from the read. Errc::timed_out before `deadlines.write` means that all
  /// data was written and nothing was read. After any other error the number of written bytes is unknown.
  Result<std::size_t> write_then_read_some(ConstBuffer data, MutableBuffer buffer) {
    return write_then_read_some_until(data, buffer, {});
  }
  Result<std::size_t> write_then_read_some_until(ConstBuffer data, MutableBuffer buffer,
                                                 const ExchangeDeadlines& deadlines);
  /// The same with a buffer from `source`. `data` may lie in it; the buffer is given back as soon as `data`
  /// is no longer needed.
  Result<std::size_t> write_then_read_some_until(ConstBuffer data, BufferSource& source,
                                                 const ExchangeDeadlines& deadlines);

  /// Suspends until a read (a write) would probably not have to wait. Use it to allocate a buffer only then.
  Result<void> wait_readable(Deadline deadline = Deadline::never());
  Result<void> wait_writable(Deadline deadline = Deadline::never());

  /// Waits until the peer is gone, and then returns success. It reads nothing. It notices the end even if
  /// unread bytes come before it. A peer that has shut down its sending side but still reads counts as gone;
  /// PeerEnd::kReset does not count it. Suspends, unless the peer is gone already. To end other waits when
  /// the peer is gone, use net::PeerScope.
  Result<void> wait_closed(Deadline deadline = Deadline::never()) {
    return wait_closed(PeerEnd::kFinished, deadline);
  }
  Result<void> wait_closed(PeerEnd end, Deadline deadline = Deadline::never());

  /// Ends sending (the peer then reads the end of the file), receiving, or both. Does not suspend. Plain
  /// threads may call it too.
  Result<void> shutdown(ShutdownMode mode);
  /// Closes the connection. Calls of other fibers fail with Errc::closed. Suspends until those calls have
  /// returned; then the kernel's descriptor is closed. Errc::closed if the stream was closed before.
  Result<void> close();

  Result<SocketAddress> local_address() const;
  Result<SocketAddress> peer_address() const;

  /// TCP_NODELAY: small writes are sent at once. On by default.
  Result<void> set_no_delay(bool on);
  Result<bool> no_delay() const;
  /// Enables keep-alive probes after `idle`, 1 to 32,767 seconds; EINVAL otherwise. `nullopt`, the default,
  /// disables them.
  Result<void> set_keep_alive(std::optional<std::chrono::seconds> idle);
  /// What close() does with unsent data. `nullopt`, the default: the kernel sends it in the background. Zero:
  /// the connection is reset. EINVAL if negative.
  Result<void> set_linger(std::optional<std::chrono::seconds> timeout);
  /// Sizes in bytes. The kernel doubles the given size, within its limits, and the getters return the doubled
  /// size. EINVAL if negative.
  Result<void> set_send_buffer_size(int bytes);
  Result<void> set_receive_buffer_size(int bytes);
  Result<int> send_buffer_size() const;
  Result<int> receive_buffer_size() const;

  /// Counts of what has happened to this connection so far.
  Result<DescriptorCounters> counters() const;
  /// The file descriptor's number, for system calls that weft does not offer, or -1 if closed. The stream
  /// still owns it.
  int native_handle() const noexcept;

  /// True until close() is called. The connection itself may be dead: only a read or a write can tell.
  bool is_open() const noexcept;

  /// For the library's own use.
  detail::DescriptorHandle descriptor() const noexcept { return handle_; }
  /// shutdown() of a stream that its owner may have closed or destroyed; then Errc::closed.
  static Result<void> shutdown(detail::DescriptorHandle handle, ShutdownMode mode);

 private:
  static void note_reading_ended(detail::DescriptorHandle handle) noexcept;

  detail::DescriptorHandle handle_;
};

}  // namespace weft::net
