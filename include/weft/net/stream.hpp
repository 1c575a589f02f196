// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/buffer_source.hpp>
#include <weft/deadline.hpp>
#include <weft/exchange_deadlines.hpp>
#include <weft/io/reader.hpp>
#include <weft/io/writer.hpp>
#include <weft/net/address.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft::net {

/// Which directions Stream::shutdown() ends.
enum class ShutdownMode : std::uint8_t { kRead, kWrite, kBoth };

/// A connection: bytes in both directions. Write a protocol against this class; it then works over TCP, over
/// Unix sockets, and over every other stream. Calls through this class are virtual; calls on a TcpStream or a
/// UnixStream itself are direct.
///
/// Errors, suspension, deadlines, thread safety: see StreamSocket.
class Stream : public io::Reader, public io::Writer {
 public:
  /// Writes all of `data`, then reads like read_some(). A server uses it between a response and the next
  /// request. `data` may lie in `buffer`. With empty `data` it only reads; with an empty `buffer` it only
  /// writes. May suspend.
  ///
  /// A socket with nothing to read yet may delay the write until the fiber's thread has nothing else to run.
  /// One system call then sends it together with the delayed writes of other fibers. The delay ends after 16
  /// such writes or 61 switches, or after 20 ms if one fiber keeps the thread.
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
  virtual Result<std::size_t> write_then_read_some_until(ConstBuffer data, BufferSource& source,
                                                         const ExchangeDeadlines& deadlines);

  /// Waits until the peer is gone, and then returns success. It reads nothing. It notices the end even if
  /// unread bytes come before it. A peer that has shut down its sending side but still reads counts as gone;
  /// PeerEnd::kReset does not count it. Suspends, unless the peer is gone already. To end other waits when
  /// the peer is gone, use net::PeerScope.
  Result<void> wait_closed(Deadline deadline = Deadline::never()) {
    return wait_closed(PeerEnd::kFinished, deadline);
  }
  virtual Result<void> wait_closed(PeerEnd end, Deadline deadline = Deadline::never()) = 0;

  /// Ends sending (the peer then reads the end of the file), receiving, or both. A read that waits gives the
  /// end of the file once receiving has ended. In a type of your own kRead must not suspend: an http::Server
  /// that drains calls it from any thread, to end the wait for a next request.
  virtual Result<void> shutdown(ShutdownMode mode) = 0;
  /// Closes the connection. Calls of other fibers fail with Errc::closed. Suspends until those calls have
  /// returned. Errc::closed if the stream was closed before.
  virtual Result<void> close() = 0;
  /// True until close() is called. The connection itself may be dead: only a read or a write can tell.
  virtual bool is_open() const noexcept = 0;

  /// The peer for a log: "192.0.2.1:50000", "/run/app.sock", "unnamed"; empty if unknown.
  virtual std::string peer_name() const = 0;
  /// The peer's IP address and port. Errc::unsupported if the peer has none.
  virtual Result<SocketAddress> peer_socket_address() const { return Errc::unsupported; }

 protected:
  Stream() noexcept = default;
  Stream(const Stream&) noexcept = default;
  Stream& operator=(const Stream&) noexcept = default;

 private:
  friend struct weft::detail::StreamAccess;
  weft::detail::DescriptorHandle descriptor() const noexcept override { return {}; }
};

}  // namespace weft::net
