// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/stream_access.hpp>
#include <weft/net/stream.hpp>
#include <weft/result.hpp>

#include <memory>
#include <string>

namespace weft::net {

/// A source of connections: a TcpListener, a UnixListener, or a type of your own. Write a server against this
/// class; it then serves all of them.
///
/// Thread safety: any number of fibers, of any contexts, may accept at once. close() may be called meanwhile.
/// Moving and destroying require exclusive access. A listener must be used in a fiber; it may be destroyed
/// anywhere.
class Listener {
 public:
  virtual ~Listener() = default;

  /// Returns the next connection. Suspends until there is one. Fails only if the listener is closed, or the
  /// wait times out or is cancelled. In a shortage it waits and tries again (see TcpListener::accept()).
  virtual Result<std::unique_ptr<Stream>> accept_stream(Deadline deadline = Deadline::never()) = 0;
  /// Returns a connection that is queued already, or Errc::would_block if there is none. Does not suspend.
  virtual Result<std::unique_ptr<Stream>> try_accept_stream() = 0;
  /// A second listener of the same socket, for another execution context. Errc::unsupported if this type does
  /// not support it, and in a simulation.
  virtual Result<std::unique_ptr<Listener>> duplicate_listener() const = 0;
  /// Stops new connections from reaching this socket (see TcpListener::stop_admitting()). Errc::unsupported
  /// if this type does not support it.
  virtual Result<void> stop_admitting() = 0;
  /// Stops listening: accepting fails with Errc::closed in other fibers. Errc::closed if it was closed
  /// before.
  virtual Result<void> close() = 0;
  virtual bool is_open() const noexcept = 0;
  /// The address at which it listens, for a log: "192.0.2.1:80", "/run/app.sock"; empty if unknown.
  virtual std::string local_name() const = 0;

 protected:
  Listener() noexcept = default;
  Listener(const Listener&) noexcept = default;
  Listener& operator=(const Listener&) noexcept = default;

 private:
  friend struct weft::detail::StreamAccess;
  /// The descriptor that becomes readable when a connection arrives; empty if there is no such descriptor.
  virtual weft::detail::DescriptorHandle descriptor() const noexcept { return {}; }
};

}  // namespace weft::net
