// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/stream_socket.hpp>
#include <weft/net/unix_address.hpp>

#include <string>
#include <string_view>
#include <sys/types.h>

namespace weft::net {

/// Which process made the other end of a connection, and as whom, at the time when it connected or listened.
struct PeerCredentials {
  pid_t pid;  ///< zero if that process is not in this one's PID namespace
  uid_t uid;
  gid_t gid;
};

class UnixStreamPair;

/// A connection over a Unix socket, inside of one machine. Reading, writing, waiting, closing and their
/// contracts: StreamSocket.
class UnixStream final : public StreamSocket {
 public:
  /// A stream without a connection: every call fails with Errc::closed.
  UnixStream() noexcept = default;
  UnixStream(UnixStream&&) noexcept = default;
  UnixStream& operator=(UnixStream&&) noexcept = default;

  /// Connects. Suspends if the listener has no room for another connection, until there is room. Errors:
  /// ENOENT, ECONNREFUSED, EACCES and others of connect(2); the error's message names the address.
  static Result<UnixStream> connect(const UnixAddress& address, Deadline deadline = Deadline::never());
  /// Parses `address` with UnixAddress::parse first. Errc::invalid_address if that fails.
  static Result<UnixStream> connect(std::string_view address, Deadline deadline = Deadline::never());
  /// Two streams that are connected to each other. Does not suspend. Errors: EMFILE, ENFILE.
  static Result<UnixStreamPair> pair();

  Result<UnixAddress> local_address() const;
  /// The listener's address at the client; at the server a client is unnamed as a rule.
  Result<UnixAddress> peer_address() const;
  std::string peer_name() const override;
  /// Errc::unsupported in a simulated world.
  Result<PeerCredentials> peer_credentials() const;

 private:
  friend struct weft::detail::StreamAccess;
  using StreamSocket::StreamSocket;
};

/// What UnixStream::pair() makes.
class UnixStreamPair {
 public:
  UnixStream first;
  UnixStream second;
};

}  // namespace weft::net
