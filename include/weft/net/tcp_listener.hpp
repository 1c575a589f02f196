// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/descriptor_handle.hpp>
#include <weft/net/address.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/result.hpp>

#include <string_view>

namespace weft::net {

/// How a listener is made.
struct ListenOptions {
  /// Connections that the kernel keeps until they are accepted; it caps the number at net.core.somaxconn.
  /// EINVAL if it is negative.
  int backlog = 4096;
  /// Several listeners, in this process or others, share the port; the kernel spreads connections over them.
  bool reuse_port = false;
};

/// A socket that takes TCP connections. SO_REUSEADDR is set; accepted streams have TCP_NODELAY on.
///
/// Thread safety: any number of fibers, of any contexts, may accept at once. close() may be called meanwhile.
/// Moving and destroying require exclusive access. Must be used in a fiber; destroyed anywhere.
class TcpListener {
 public:
  /// Of no socket: every call fails with Errc::closed.
  TcpListener() noexcept = default;
  TcpListener(TcpListener&& other) noexcept : handle_(other.handle_.take()) {}
  TcpListener& operator=(TcpListener&& other) noexcept;
  /// Closes.
  ~TcpListener();

  /// Listens at `address`; port 0 takes a free one, see local_address(). Does not suspend. Errors:
  /// EADDRINUSE, EACCES, EADDRNOTAVAIL, EMFILE and others of bind(2). A listener at `[::]` takes IPv4
  /// connections too; where there is no IPv6, it is one at `0.0.0.0`.
  static Result<TcpListener> bind(const SocketAddress& address, const ListenOptions& options = {});
  /// The same with an address as SocketAddress::parse understands it; Errc::invalid_address otherwise.
  static Result<TcpListener> bind(std::string_view address, const ListenOptions& options = {});

  /// The next connection. Suspends until there is one.
  ///
  /// Fails only with Errc::closed, Errc::cancelled, (the `_until` form) Errc::timed_out, or EBADF, EINVAL and
  /// ENOTSOCK, if somebody ended the socket behind weft's back. A connection that died while it was queued
  /// (ECONNABORTED, ECONNRESET, ETIMEDOUT, EPROTO, EPERM, unreachable nets and hosts and others) is skipped,
  /// and many of them in a row are treated like a shortage. Any other error is one: of descriptors (EMFILE,
  /// ENFILE), memory (ENOBUFS, ENOMEM, ENOSR), or watches (ENOSPC, see fs.epoll.max_user_watches). accept()
  /// then says so on standard error, once until it works again, and tries again after a pause of 5 ms,
  /// doubling to 100 ms: no spinning, and the listener lives on.
  Result<TcpStream> accept() { return accept_until(Deadline::never()); }
  Result<TcpStream> accept_until(Deadline deadline);

  /// Stops listening: fibers in accept() get Errc::closed. Returns when the port is free again.
  Result<void> close();

  Result<SocketAddress> local_address() const;
  /// The number of the file descriptor; it stays weft's to close. -1 if closed.
  int native_handle() const noexcept;
  /// Whether it listens: close() was not called.
  bool is_open() const noexcept;

  /// The internals, for this library.
  detail::DescriptorHandle descriptor() const noexcept { return handle_; }

 private:
  explicit TcpListener(detail::DescriptorHandle handle) noexcept : handle_(handle) {}

  detail::DescriptorHandle handle_;
};

}  // namespace weft::net
