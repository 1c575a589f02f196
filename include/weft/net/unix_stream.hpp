// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/stream_socket.hpp>
#include <weft/net/unix_address.hpp>

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
