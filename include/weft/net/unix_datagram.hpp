// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/deadline.hpp>
#include <weft/detail/socket_file.hpp>
#include <weft/detail/stream_access.hpp>
#include <weft/net/passed_files.hpp>
#include <weft/net/unix_address.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace weft::net {

/// What is known of a datagram that came over a Unix socket, besides its bytes.
struct ReceivedUnixDatagram {
  UnixAddress from;           ///< unnamed if the sender is not bound: it cannot be answered then
  std::size_t size = 0;       ///< the bytes in the buffer; 0 is an empty datagram
  std::size_t full_size = 0;  ///< the bytes that were sent; more than `size` if the buffer was too small

  /// The rest of the datagram did not fit, and is lost.
  bool is_truncated() const noexcept { return full_size > size; }
};

/// Options for UnixDatagram::bind().
struct UnixDatagramOptions {
  /// The permissions of the socket's file, such as 0660. A user with write permission may send. `nullopt`:
  /// 0777 without the bits of the process's umask.
  std::optional<std::uint32_t> mode = std::nullopt;
  /// True: replaces the file of a socket that no process has any more, because its process has died. Any
  /// other file is EADDRINUSE in any case.
  bool replace_stale = false;
};

class UnixDatagramPair;

/// A Unix datagram socket: messages within one machine, which arrive whole, once, and in order. A sender
/// waits while the receiver's queue is full. Messages may carry open files.
///
/// close() and the destructor remove the file of a path, if it is still the file of this socket. A process
/// that dies leaves the file behind; a child of fork() leaves it to its parent.
///
/// Suspension, errors, deadlines, thread safety: as those of UdpSocket. ECONNREFUSED: the receiver is gone;
/// ENOENT: there is no such file; EACCES: no permission to write to it; EPERM: it talks to another peer only;
/// EMSGSIZE: the message is greater than the send buffer. A send to an address, other than to the peer, that
/// waits for room notices a close() of its own socket after 50 ms at most.
class UnixDatagram final {
 public:
  /// A socket that is closed: every call fails with Errc::closed.
  UnixDatagram() noexcept = default;
  UnixDatagram(UnixDatagram&& other) noexcept
      : handle_(other.handle_.take()), file_(std::move(other.file_)) {}
  UnixDatagram& operator=(UnixDatagram&& other) noexcept;
  /// Closes the socket.
  ~UnixDatagram();

  /// Receives at `address`. Does not suspend. Errors: EADDRINUSE, EACCES, ENOENT (no such directory), EMFILE
  /// and others of bind(2); Errc::invalid_address if unnamed.
  static Result<UnixDatagram> bind(const UnixAddress& address, const UnixDatagramOptions& options = {});
  /// Parses `address` with UnixAddress::parse first. Errc::invalid_address if that fails.
  static Result<UnixDatagram> bind(std::string_view address, const UnixDatagramOptions& options = {});
  /// An unnamed socket that talks to `peer` only. It cannot be answered; to be answered, bind() and
  /// set_peer(). Does not suspend. Errors: ENOENT, ECONNREFUSED, EACCES, EPERM, EPROTOTYPE (a stream socket
  /// is there).
  static Result<UnixDatagram> connect(const UnixAddress& peer);
  static Result<UnixDatagram> connect(std::string_view peer);
  /// Two unnamed sockets that talk to each other. Does not suspend. Errors: EMFILE, ENFILE.
  static Result<UnixDatagramPair> pair();

  /// Makes `peer` the only peer. Does not suspend. Errors: those of connect().
  Result<void> set_peer(const UnixAddress& peer);

  /// Receives a datagram. An empty buffer takes one, too: all of it is cut off. Open files that came with it
  /// are closed.
  Result<ReceivedUnixDatagram> receive_from(MutableBuffer buffer) {
    return receive_from_until(buffer, Deadline::never());
  }
  Result<ReceivedUnixDatagram> receive_from_until(MutableBuffer buffer, Deadline deadline);
  /// The same with the open files that came with it.
  Result<ReceivedUnixDatagram> receive_with_files(MutableBuffer buffer, PassedFiles& files,
                                                  Deadline deadline = Deadline::never());

  /// Sends `data` as one datagram.
  Result<void> send_to(ConstBuffer data, const UnixAddress& to) {
    return send_to_until(data, to, Deadline::never());
  }
  Result<void> send_to_until(ConstBuffer data, const UnixAddress& to, Deadline deadline);
  /// The same to the peer. ENOTCONN if there is none.
  Result<void> send(ConstBuffer data) { return send_until(data, Deadline::never()); }
  Result<void> send_until(ConstBuffer data, Deadline deadline);
  /// The same with open files; the numbers stay the caller's. EINVAL if there are more than
  /// PassedFiles::kFilesMax; EBADF if a number is no open file; ETOOMANYREFS if too many are on their way.
  /// Errc::unsupported in a simulation.
  Result<void> send_with_files(ConstBuffer data, std::span<const int> files,
                               Deadline deadline = Deadline::never());

  /// Suspends until receiving, or sending to the peer, would probably not have to wait.
  Result<void> wait_readable(Deadline deadline = Deadline::never());
  Result<void> wait_writable(Deadline deadline = Deadline::never());

  /// In bytes. The kernel doubles the given size, within its limits. EINVAL if negative.
  Result<void> set_send_buffer_size(int bytes);

  Result<UnixAddress> local_address() const;
  /// ENOTCONN if the socket has no peer.
  Result<UnixAddress> peer_address() const;

  /// Closes the socket. Calls of other fibers fail with Errc::closed. Suspends until those calls have
  /// returned. What was received and not read is lost. Errc::closed if it was closed before.
  Result<void> close();
  bool is_open() const noexcept;
  /// The file descriptor's number, or -1 if closed or in a simulation. The socket still owns it.
  int native_handle() const noexcept;

 private:
  friend struct weft::detail::StreamAccess;
  explicit UnixDatagram(weft::detail::DescriptorHandle handle) noexcept : handle_(handle) {}
  weft::detail::DescriptorHandle descriptor() const noexcept { return handle_; }

  weft::detail::DescriptorHandle handle_;
  weft::detail::SocketFile file_;
};

/// Two sockets that talk to each other, made by UnixDatagram::pair().
class UnixDatagramPair {
 public:
  UnixDatagram first;
  UnixDatagram second;
};

}  // namespace weft::net
