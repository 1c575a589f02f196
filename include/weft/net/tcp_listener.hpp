// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/net/address.hpp>
#include <weft/net/listener.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/result.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace weft::net {

/// Options for TcpListener::bind().
struct ListenOptions {
  /// The number of connections that the kernel queues until they are accepted. The kernel caps it at
  /// net.core.somaxconn. bind() fails with EINVAL if it is negative.
  int backlog = 4096;
  /// SO_REUSEPORT: several listeners, in this process or in others, share the port. The kernel spreads the
  /// connections over them.
  bool reuse_port = false;
};

/// A socket that accepts TCP connections. SO_REUSEADDR is set; accepted streams have TCP_NODELAY on.
///
/// Thread safety: any number of fibers, of any contexts, may accept at once. close() may be called meanwhile.
/// Moving and destroying require exclusive access. A listener must be used in a fiber; it may be destroyed
/// anywhere.
class TcpListener final : public Listener {
 public:
  /// A listener without a socket: every call fails with Errc::closed.
  TcpListener() noexcept = default;
  TcpListener(TcpListener&& other) noexcept : handle_(other.handle_.take()) {}
  TcpListener& operator=(TcpListener&& other) noexcept;
  /// Closes the socket.
  ~TcpListener() override;

  /// Listens at `address`. Port 0 selects a free port; local_address() returns it. A listener at `[::]`
  /// accepts IPv4 connections too; on a system without IPv6 it listens at `0.0.0.0`. Does not suspend.
  /// Errors: EADDRINUSE, EACCES, EADDRNOTAVAIL, EMFILE and others of bind(2).
  static Result<TcpListener> bind(const SocketAddress& address, const ListenOptions& options = {});
  /// Listens at "host:service": "127.0.0.1:80", ":80", "localhost:http". If the host is a name, its first
  /// address is used, IPv4 before IPv6, and the call suspends until the name is resolved; listen_all() uses
  /// all addresses. Errors: also Errc::invalid_address, and those of Resolver::resolve().
  static Result<TcpListener> bind(std::string_view address, const ListenOptions& options = {});

  /// Adopts a socket that listens already, for example one that another process passed on (see listen_fds()).
  /// The listener owns `fd` from now on. If several processes have the socket, the first to accept gets a
  /// connection, so one process can hand over to another without losing any. Sets FD_CLOEXEC, TCP_NODELAY and
  /// O_NONBLOCK; the last two apply to every process that shares the socket. Does not suspend.
  ///
  /// Errors: EBADF, ENOTSOCK, EINVAL (the socket does not listen), EAFNOSUPPORT (neither IPv4 nor IPv6),
  /// EPROTOTYPE (not a stream socket), Errc::unsupported in a simulation. On an error the caller still owns
  /// `fd`.
  static Result<TcpListener> adopt(int fd);

  /// A second listener of the same socket, with a descriptor of its own (close-on-exec). Each connection goes
  /// to one of the two. Use it to accept in another execution context, or to pass the socket to another
  /// process. Does not suspend. Errors: EMFILE, Errc::closed, Errc::unsupported in a simulation.
  Result<TcpListener> duplicate() const;

  /// Returns the next connection. Suspends until there is one.
  ///
  /// Errors: Errc::closed, Errc::cancelled, Errc::timed_out (`_until` form), and EBADF, EINVAL and ENOTSOCK
  /// if other code has ended the socket.
  ///
  /// accept() skips connections that died while they were queued (ECONNABORTED, ECONNRESET, ETIMEDOUT,
  /// EPROTO, EPERM, unreachable networks and hosts, and others). It treats many of them in a row like a
  /// shortage.
  ///
  /// It treats every other error as a shortage: of descriptors (EMFILE, ENFILE), of memory (ENOBUFS, ENOMEM,
  /// ENOSR), or of epoll watches (ENOSPC, see fs.epoll.max_user_watches). In a shortage it writes a line to
  /// standard error, once until an accept succeeds, and tries again after a pause. The first pause is 5 ms;
  /// each further one is twice as long, up to 100 ms. The listener keeps working.
  Result<TcpStream> accept() { return accept_until(Deadline::never()); }
  Result<TcpStream> accept_until(Deadline deadline);

  /// Returns a connection that is queued already, or Errc::would_block if there is none. Does not suspend. It
  /// accepts also in a fiber that is cancelled. Returns the kernel's other errors unchanged, shortages
  /// included.
  Result<TcpStream> try_accept();

  Result<std::unique_ptr<Stream>> accept_stream(Deadline deadline = Deadline::never()) override;
  Result<std::unique_ptr<Stream>> try_accept_stream() override;
  Result<std::unique_ptr<Listener>> duplicate_listener() const override;

  /// Stops new connections from reaching this socket: the kernel drops connection requests without an answer.
  /// Connections that have begun can still be accepted. A client repeats its request after about a second. If
  /// this listener is closed by then, the request reaches another listener of the port (`reuse_port`). So a
  /// listener hands over to another socket without losing a connection: stop admitting, accept for one
  /// round-trip time, close. The effect is permanent and applies to the socket itself: do not use it on a
  /// socket that another process adopts. Does not suspend. Errors: Errc::closed, Errc::unsupported in a
  /// simulation.
  Result<void> stop_admitting() override;

  /// Stops listening: accept() fails with Errc::closed in other fibers. Returns when the port is free again.
  /// The kernel resets the connections in the socket's queue, unless another listener or process has the same
  /// socket.
  Result<void> close() override;

  Result<SocketAddress> local_address() const;
  std::string local_name() const override;
  /// The file descriptor's number, or -1 if closed. The listener still owns it.
  int native_handle() const noexcept;
  /// True until close() is called.
  bool is_open() const noexcept override;

 private:
  friend struct weft::detail::StreamAccess;
  explicit TcpListener(weft::detail::DescriptorHandle handle) noexcept : handle_(handle) {}
  weft::detail::DescriptorHandle descriptor() const noexcept override { return handle_; }

  weft::detail::DescriptorHandle handle_;
};

}  // namespace weft::net
