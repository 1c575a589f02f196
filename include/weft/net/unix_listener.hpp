// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/socket_file.hpp>
#include <weft/net/listener.hpp>
#include <weft/net/unix_address.hpp>
#include <weft/net/unix_stream.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::net {

/// Options for UnixListener::bind().
struct UnixListenOptions {
  /// The number of connections that the kernel queues until they are accepted. The kernel caps it at
  /// net.core.somaxconn. bind() fails with EINVAL if it is negative.
  int backlog = 4096;
  /// The permissions of the socket's file, such as 0660. A user with write permission may connect. `nullopt`:
  /// 0777 without the bits of the process's umask.
  std::optional<std::uint32_t> mode = std::nullopt;
  /// True: replaces the file of a socket that no process listens at any more, because its process has died. A
  /// file that is not a socket, or a socket with a listener, is EADDRINUSE in any case.
  /// To find out, bind() connects to the path: a live listener there sees one connection that closes at once.
  bool replace_stale = false;
};

/// A Unix socket that accepts connections.
///
/// close() and the destructor remove the file of a path, if it is still the file of this listener. A process
/// that dies leaves the file behind; a child of fork() leaves it to its parent. An abstract name has no file.
///
/// Thread safety: any number of fibers, of any contexts, may accept at once. close() may be called meanwhile.
/// Moving and destroying require exclusive access. A listener must be used in a fiber; it may be destroyed
/// anywhere.
class UnixListener final : public Listener {
 public:
  /// A listener without a socket: every call fails with Errc::closed.
  UnixListener() noexcept = default;
  UnixListener(UnixListener&& other) noexcept;
  UnixListener& operator=(UnixListener&& other) noexcept;
  /// Closes the listener.
  ~UnixListener() override;

  /// Listens at `address`. Does not suspend. Errors: EADDRINUSE, EACCES, ENOENT (no such directory), EMFILE
  /// and others of bind(2); Errc::invalid_address if unnamed.
  static Result<UnixListener> bind(const UnixAddress& address, const UnixListenOptions& options = {});
  /// Parses `address` with UnixAddress::parse first. Errc::invalid_address if that fails.
  static Result<UnixListener> bind(std::string_view address, const UnixListenOptions& options = {});
  /// Adopts a socket that listens already, for example one of listen_fds(). The listener owns `fd` from now
  /// on. It never removes the file of an adopted socket. Sets FD_CLOEXEC and O_NONBLOCK. Errors: those of
  /// TcpListener::adopt(), and EAFNOSUPPORT if it is not a Unix socket. On an error the caller still owns
  /// `fd`.
  static Result<UnixListener> adopt(int fd);

  /// Returns the next connection. Suspends until there is one. Errors and shortages: see
  /// TcpListener::accept().
  Result<UnixStream> accept() { return accept_until(Deadline::never()); }
  Result<UnixStream> accept_until(Deadline deadline);
  /// Returns a connection that is queued already, or Errc::would_block if there is none. Does not suspend.
  Result<UnixStream> try_accept();

  Result<std::unique_ptr<Stream>> accept_stream(Deadline deadline = Deadline::never()) override;
  Result<std::unique_ptr<Stream>> try_accept_stream() override;
  /// Only the original removes the file of a path.
  Result<std::unique_ptr<Listener>> duplicate_listener() const override;
  /// Errc::unsupported: a client of a Unix socket would not try again.
  Result<void> stop_admitting() override { return Errc::unsupported; }
  /// Stops listening: accept() fails with Errc::closed in other fibers. Connections in its queue are reset.
  Result<void> close() override;
  bool is_open() const noexcept override;
  std::string local_name() const override;

  Result<UnixAddress> local_address() const;
  /// The file descriptor's number, or -1 if closed. The listener still owns it.
  int native_handle() const noexcept;

 private:
  friend struct weft::detail::StreamAccess;
  explicit UnixListener(weft::detail::DescriptorHandle handle) noexcept : handle_(handle) {}
  weft::detail::DescriptorHandle descriptor() const noexcept override { return handle_; }

  weft::detail::DescriptorHandle handle_;
  weft::detail::SocketFile file_;
};

}  // namespace weft::net
