// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/net/resolver.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/result.hpp>

#include <chrono>
#include <string_view>
#include <system_error>
#include <vector>

namespace weft::net {

/// One attempt of connect(), and how it ended.
struct ConnectAttempt {
  SocketAddress address;
  /// When it started, counted from the call of connect().
  std::chrono::nanoseconds started_after{0};
  /// The reason of its failure; none if it won. Errc::cancelled if another attempt won or connect() failed
  /// while this one was in progress.
  std::error_code error;
};

/// Options for connect().
struct ConnectOptions {
  /// Null: default_resolver().
  Resolver* resolver = nullptr;
  /// How long an attempt is left alone before the next one begins beside it.
  std::chrono::milliseconds attempt_delay = std::chrono::milliseconds(250);
  /// How long IPv4 addresses wait for the answer about IPv6 addresses.
  std::chrono::milliseconds resolution_delay = std::chrono::milliseconds(50);
  /// Receives every attempt, in the order of their starts, also on success.
  std::vector<ConnectAttempt>* attempts = nullptr;
};

/// Connects to "host:service": "example.org:443", "localhost:http", "192.0.2.1:80", "[fe80::1%eth0]:80".
/// Suspends.
///
///     auto stream = weft::net::connect("example.org:443", 5s).value();
///
/// A name's IPv6 and IPv4 addresses are tried in turn, IPv6 first (Happy Eyeballs, RFC 8305). The next
/// attempt starts when the latest has failed, or beside it after `attempt_delay`. The first connection wins;
/// the other attempts are cancelled and closed before connect() returns.
///
/// Errors: those of Resolver::resolve(), and those of TcpStream::connect(). If every attempt failed, the
/// error is that of the attempt that came farthest (refused before timed out before unreachable), and its
/// text names the addresses tried and why each failed, as far as there is room. Errc::timed_out at the
/// deadline, which includes resolving, and Errc::cancelled: nothing is left open.
Result<TcpStream> connect(std::string_view address, Deadline deadline = Deadline::never(),
                          const ConnectOptions& options = {});

/// Listens at all addresses of "host:service", such as "localhost:8080": a listener for each. With port 0
/// they share the port that the first one gets. Addresses of a family that the system does not have are left
/// out, if another remains. Suspends if the host is a name. Errors: those of Resolver::resolve() and
/// TcpListener::bind(); then none of them listens.
Result<std::vector<TcpListener>> listen_all(std::string_view address, const ListenOptions& options = {});

}  // namespace weft::net
