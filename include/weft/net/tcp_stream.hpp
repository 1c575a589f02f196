// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/address.hpp>
#include <weft/net/stream_socket.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace weft::net {

/// A TCP connection. The contracts of reading, writing, waiting and closing are those of StreamSocket.
class TcpStream final : public StreamSocket {
 public:
  /// A stream without a connection: every call fails with Errc::closed.
  TcpStream() noexcept = default;
  TcpStream(TcpStream&&) noexcept = default;
  TcpStream& operator=(TcpStream&&) noexcept = default;

  /// Connects. Suspends. Errors: ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT and others of connect(2).
  static Result<TcpStream> connect(const SocketAddress& address, Deadline deadline = Deadline::never());
  /// The same as net::connect(): "192.0.2.1:80", "[::1]:80", "example.org:https".
  static Result<TcpStream> connect(std::string_view address, Deadline deadline = Deadline::never());

  Result<SocketAddress> local_address() const;
  Result<SocketAddress> peer_address() const;
  std::string peer_name() const override;
  Result<SocketAddress> peer_socket_address() const override { return peer_address(); }

  /// TCP_NODELAY: small writes are sent at once. On by default.
  Result<void> set_no_delay(bool on);
  Result<bool> no_delay() const;
  /// Enables keep-alive probes after `idle`, 1 to 32,767 seconds; EINVAL otherwise. `nullopt`, the default,
  /// disables them.
  Result<void> set_keep_alive(std::optional<std::chrono::seconds> idle);
  /// What close() does with unsent data. `nullopt`, the default: the kernel sends it in the background. Zero:
  /// the connection is reset. EINVAL if negative.
  Result<void> set_linger(std::optional<std::chrono::seconds> timeout);

 private:
  friend struct weft::detail::StreamAccess;
  using StreamSocket::StreamSocket;
};

}  // namespace weft::net
