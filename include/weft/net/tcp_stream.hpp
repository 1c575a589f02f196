// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/buffer_source.hpp>
#include <weft/counters.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/descriptor_handle.hpp>
#include <weft/exchange_deadlines.hpp>
#include <weft/net/address.hpp>
#include <weft/net/transfer.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace weft::net {

/// Which directions of a stream are ended by TcpStream::shutdown().
enum class ShutdownMode { kRead, kWrite, kBoth };

/// A TCP connection.
///
/// Every call that moves data suspends only the calling fiber, and only when the kernel says "not now". It
/// ends with a value, an error of the kernel (category system), or Errc::closed (closed meanwhile, or
/// before), Errc::cancelled (the fiber was cancelled), Errc::timed_out (the deadline of an `_until` form
/// passed; data may still come: the call can be repeated). A cancelled or timed out read or write has moved
/// nothing, the whole-buffer forms say how much.
///
/// A deadline ends a call that has to wait. It also ends a loop of calls with one deadline that never have to
/// wait: a call that finds the deadline passed when its fiber has used up its budget of operations (64
/// without a switch) fails, although there may be data or room; the whole-buffer forms look at their deadline
/// after each step. So a deadline in the past is no substitute for "only if it is ready".
///
/// Empty buffers: a call that has nothing to move returns 0 at once, whatever the state of the stream; it
/// does not suspend.
///
/// Thread safety: one fiber may read while another writes, in the same context or in different ones. Several
/// fibers may read at once: each read takes one piece of what has come. Several may write at once: each call
/// is sent as one piece, also if it has to wait in between (write_all() of one buffer and of several, the
/// write of write_then_read_some()); the others wait for their turn, in the order of their calls, until their
/// own deadline, a cancel, or close(). A write that fails or ends by its deadline has sent what it says, and
/// the next one follows that. close() may be called while others are inside: they get Errc::closed. Moving
/// and destroying require exclusive access. Must be used in a fiber; destroyed anywhere.
///
/// The connection's registration follows its user: it is made with the event loop of the context that first
/// has to wait on it, and moves when a fiber of another context does.
class TcpStream {
 public:
  /// Of no connection: every call fails with Errc::closed.
  TcpStream() noexcept = default;
  explicit TcpStream(detail::DescriptorHandle handle) noexcept : handle_(handle) {}
  TcpStream(TcpStream&& other) noexcept : handle_(other.handle_.take()) {}
  TcpStream& operator=(TcpStream&& other) noexcept;
  /// Closes; suspends while operations of other fibers are on their way out.
  ~TcpStream();

  /// Connects. Suspends. Errors: ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT and others of connect(2).
  static Result<TcpStream> connect(const SocketAddress& address, Deadline deadline = Deadline::never());
  /// The same with an address as SocketAddress::parse understands it; Errc::invalid_address otherwise.
  static Result<TcpStream> connect(std::string_view address, Deadline deadline = Deadline::never());

  /// Reads what is there, at least one byte: how many. Errc::end_of_file when the peer has finished sending.
  /// May suspend.
  Result<std::size_t> read_some(MutableBuffer buffer) { return read_some_until(buffer, Deadline::never()); }
  Result<std::size_t> read_some_until(MutableBuffer buffer, Deadline deadline);

  /// Fills the whole buffer. Errc::end_of_file if the peer stops before.
  Transfer read_exact(MutableBuffer buffer) { return read_exact_until(buffer, Deadline::never()); }
  Transfer read_exact_until(MutableBuffer buffer, Deadline deadline);

  /// Writes as much as there is room for, at least one byte: how many. EPIPE or ECONNRESET when the peer is
  /// gone. May suspend.
  Result<std::size_t> write_some(ConstBuffer data) { return write_some_until(data, Deadline::never()); }
  Result<std::size_t> write_some_until(ConstBuffer data, Deadline deadline);

  /// Writes all of it.
  Transfer write_all(ConstBuffer data) { return write_all_until(data, Deadline::never()); }
  Transfer write_all_until(ConstBuffer data, Deadline deadline);

  /// Several buffers, in order, as if they were one: with one syscall as far as the kernel takes them.
  Transfer write_all(std::span<const std::span<const std::byte>> buffers) {
    return write_all_until(buffers, Deadline::never());
  }
  Transfer write_all_until(std::span<const std::span<const std::byte>> buffers, Deadline deadline);
  /// Reads what is there into several buffers, in order: how many bytes in all. At most the first 16 buffers
  /// that are not empty are used.
  Result<std::size_t> read_some(std::span<const std::span<std::byte>> buffers) {
    return read_some_until(buffers, Deadline::never());
  }
  Result<std::size_t> read_some_until(std::span<const std::span<std::byte>> buffers, Deadline deadline);

  /// As read_some(), with a buffer that is taken only when there is something to read. It stays taken if
  /// bytes were read; at the end of the file, and after an error, it was given back. For servers with many
  /// idle connections.
  Result<std::size_t> read_some_until(BufferSource& source, Deadline deadline);

  /// Writes all of `data`, then reads as read_some() does: what a server does between an answer and the next
  /// question. `data` may lie in `buffer`. If there is nothing to read yet, the write may be put off until
  /// the fiber's thread has nothing else to run, and is then made together with those of other fibers, with
  /// one system call; it waits for nothing else, and no longer than 16 such writes or 61 switches take, or 20
  /// ms if a fiber keeps the thread. An error is the write's or the read's. Errc::timed_out before
  /// deadlines.write: all was written, nothing read. After any other error nobody knows how much was written.
  /// Without data it only reads, with an empty buffer it only writes.
  Result<std::size_t> write_then_read_some(ConstBuffer data, MutableBuffer buffer) {
    return write_then_read_some_until(data, buffer, {});
  }
  Result<std::size_t> write_then_read_some_until(ConstBuffer data, MutableBuffer buffer,
                                                 const ExchangeDeadlines& deadlines);
  /// The same with a buffer that is lent: `data` may lie in it, and it is given back as soon as `data` is not
  /// needed any more.
  Result<std::size_t> write_then_read_some_until(ConstBuffer data, BufferSource& source,
                                                 const ExchangeDeadlines& deadlines);

  /// Returns when a read would probably not have to wait: for those who want to have a buffer only then.
  Result<void> wait_readable(Deadline deadline = Deadline::never());
  Result<void> wait_writable(Deadline deadline = Deadline::never());

  /// Waits until the peer is gone: success. Nothing is read; that the peer has finished is noticed although
  /// bytes before its end are unread. A peer that shuts down its sending side, and still reads, has finished,
  /// too: PeerEnd::kReset waits for less. Suspends, unless it has come already. net::PeerScope ends whatever
  /// waits.
  Result<void> wait_closed(Deadline deadline = Deadline::never()) {
    return wait_closed(PeerEnd::kFinished, deadline);
  }
  Result<void> wait_closed(PeerEnd end, Deadline deadline = Deadline::never());

  /// Ends sending (the peer then reads the end of file), receiving, or both. Does not suspend; plain threads
  /// may call it, too.
  Result<void> shutdown(ShutdownMode mode);
  /// Ends the connection: fibers inside other calls get Errc::closed. When it returns the file descriptor was
  /// given back to the kernel; it suspends until the others have left. Errc::closed if it was closed before.
  Result<void> close();

  Result<SocketAddress> local_address() const;
  Result<SocketAddress> peer_address() const;

  /// Whether small writes are sent at once (TCP_NODELAY). On by default.
  Result<void> set_no_delay(bool on);
  Result<bool> no_delay() const;
  /// Enables keep-alive probes after `idle`, 1 to 32,767 seconds; none: off, the default. EINVAL otherwise.
  Result<void> set_keep_alive(std::optional<std::chrono::seconds> idle);
  /// What close() does with data not sent yet: none, the default, sends it in the background; zero resets the
  /// connection. EINVAL if it is negative.
  Result<void> set_linger(std::optional<std::chrono::seconds> timeout);
  /// Bytes; the kernel doubles what it is given, within its limits, and the getters tell the doubled size.
  /// EINVAL if it is negative.
  Result<void> set_send_buffer_size(int bytes);
  Result<void> set_receive_buffer_size(int bytes);
  Result<int> send_buffer_size() const;
  Result<int> receive_buffer_size() const;

  /// What happened to this connection so far (L14).
  Result<DescriptorCounters> counters() const;
  /// The number of the file descriptor, for calls that weft does not know; it stays weft's to close. -1 if
  /// closed.
  int native_handle() const noexcept;

  /// Whether it is of a connection that close() was not called for. The connection may be dead: only a read
  /// or write tells.
  bool is_open() const noexcept;

  /// The internals, for this library.
  detail::DescriptorHandle descriptor() const noexcept { return handle_; }
  /// shutdown() of a stream that its owner may have closed by now, and ended: Errc::closed then.
  static Result<void> shutdown(detail::DescriptorHandle handle, ShutdownMode mode);

 private:
  static void note_reading_ended(detail::DescriptorHandle handle) noexcept;

  detail::DescriptorHandle handle_;
};

}  // namespace weft::net
