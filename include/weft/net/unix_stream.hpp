// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/io/file_descriptor.hpp>
#include <weft/net/passed_files.hpp>
#include <weft/net/stream_socket.hpp>
#include <weft/net/unix_address.hpp>

#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace weft::net {

/// The process that made the other end of a connection, and its user and group, at the time when it connected
/// or began to listen.
struct PeerCredentials {
  pid_t pid;  ///< zero if that process is not in this one's PID namespace
  uid_t uid;
  gid_t gid;
};

class UnixStreamPair;

/// A connection over a Unix socket, within one machine. The contracts of reading, writing, waiting and
/// closing are those of StreamSocket.
class UnixStream final : public StreamSocket {
 public:
  /// A stream without a connection: every call fails with Errc::closed.
  UnixStream() noexcept = default;
  UnixStream(UnixStream&&) noexcept = default;
  UnixStream& operator=(UnixStream&&) noexcept = default;

  /// Connects. Suspends while the queue of the listener is full. Errors: ENOENT, ECONNREFUSED, EACCES and
  /// others of connect(2); the error's message names the address.
  static Result<UnixStream> connect(const UnixAddress& address, Deadline deadline = Deadline::never());
  /// Parses `address` with UnixAddress::parse first. Errc::invalid_address if that fails.
  static Result<UnixStream> connect(std::string_view address, Deadline deadline = Deadline::never());
  /// Two streams that are connected to each other. Does not suspend. Errors: EMFILE, ENFILE.
  static Result<UnixStreamPair> pair();

  Result<UnixAddress> local_address() const;
  /// At the client, the address of the listener. At the server usually unnamed.
  Result<UnixAddress> peer_address() const;
  std::string peer_name() const override;
  /// Errc::unsupported in a simulation.
  Result<PeerCredentials> peer_credentials() const;
  /// A descriptor of that process (pidfd_open(2)), which stays that of this process even if its number is
  /// given to another one. Errc::unsupported if the kernel has it not (before 6.5), and in a simulation.
  Result<io::FileDescriptor> peer_process() const;

  /// Sends open files along with the first byte of `data`; the numbers stay the caller's. Returns how many
  /// bytes were sent, at least one; all files went with them. An error has sent nothing. The turns of writers
  /// hold: it may come between the pieces of no other call. EINVAL if `data` is empty, or there are more
  /// files than PassedFiles::kFilesMax; EBADF if a number is no open file; ETOOMANYREFS if too many are on
  /// their way. Errc::unsupported in a simulation.
  Result<std::size_t> send_with_files(ConstBuffer data, std::span<const int> files,
                                      Deadline deadline = Deadline::never());
  /// Reads like read_some(), with the open files that came with the bytes. Such a read may begin with bytes
  /// that were sent before them. It ends with the last byte that was sent together with them. Every other way
  /// to read closes them. Errors: those of read_some(); Errc::unsupported in a simulation.
  Result<std::size_t> receive_with_files(MutableBuffer buffer, PassedFiles& files,
                                         Deadline deadline = Deadline::never());

 private:
  friend struct weft::detail::StreamAccess;
  using StreamSocket::StreamSocket;
};

/// Two connected streams, made by UnixStream::pair().
class UnixStreamPair {
 public:
  UnixStream first;
  UnixStream second;
};

}  // namespace weft::net
