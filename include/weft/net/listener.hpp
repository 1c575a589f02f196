// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/stream_access.hpp>
#include <weft/net/stream.hpp>
#include <weft/result.hpp>

#include <memory>
#include <string>

namespace weft::net {

/// A source of connections: a TcpListener, a UnixListener, or a type of your own. A server is written against
/// this class, and then serves all of them.
///
/// Thread safety: any number of fibers, of any contexts, may accept at once. close() may be called meanwhile.
/// Moving and destroying require exclusive access. Must be used in a fiber; destroyed anywhere.
class Listener {
 public:
  virtual ~Listener() = default;

  /// The next connection. Suspends until there is one. Fails only when the listener has ended, or the wait
  /// has: shortages are waited out (see TcpListener::accept()).
  virtual Result<std::unique_ptr<Stream>> accept_stream(Deadline deadline = Deadline::never()) = 0;
  /// A connection that is queued already; Errc::would_block if there is none. Does not suspend.
  virtual Result<std::unique_ptr<Stream>> try_accept_stream() = 0;
  /// A second listener of the same socket, for another execution context. Errc::unsupported: this type, or a
  /// simulated world, has none.
  virtual Result<std::unique_ptr<Listener>> duplicate_listener() const = 0;
  /// The kernel begins no new connection with this socket (see TcpListener::stop_admitting()).
  /// Errc::unsupported: it cannot be told to.
  virtual Result<void> stop_admitting() = 0;
  /// Stops listening: fibers that accept get Errc::closed. Errc::closed if it was closed before.
  virtual Result<void> close() = 0;
  virtual bool is_open() const noexcept = 0;
  /// Where it listens, for a log: "192.0.2.1:80", "/run/app.sock"; empty if it is not known.
  virtual std::string local_name() const = 0;

 protected:
  Listener() noexcept = default;
  Listener(const Listener&) noexcept = default;
  Listener& operator=(const Listener&) noexcept = default;

 private:
  friend struct weft::detail::StreamAccess;
  /// The descriptor that becomes readable when a connection comes; none if there is no such descriptor.
  virtual weft::detail::DescriptorHandle descriptor() const noexcept { return {}; }
};

}  // namespace weft::net
