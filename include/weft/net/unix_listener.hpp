// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/net/listener.hpp>
#include <weft/net/unix_address.hpp>
#include <weft/net/unix_stream.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::net {

/// How a Unix listener is made.
struct UnixListenOptions {
  /// Connections that the kernel keeps until they are accepted; it caps the number at net.core.somaxconn.
  /// EINVAL if it is negative.
  int backlog = 4096;
  /// Permissions of the socket's file, such as 0660: who may write to it may connect. None: 0777 without the
  /// bits of the process's umask.
  std::optional<std::uint32_t> mode = std::nullopt;
  /// A socket's file at the path that nobody listens at any more, left by a process that has died, is
  /// replaced. Another file, or a socket that somebody listens at, is EADDRINUSE all the same.
  bool replace_stale = false;
};

/// A Unix socket that takes connections.
///
/// A path's file is removed by close() and by the destructor, if it still is this listener's; a process that
/// dies leaves it behind, and a child of fork() leaves it to its parent. An abstract name needs no file.
///
/// Thread safety: any number of fibers, of any contexts, may accept at once. close() may be called meanwhile.
/// Moving and destroying require exclusive access. Must be used in a fiber; destroyed anywhere.
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
  /// A socket that listens already, for example one of listen_fds(). From now on the listener owns `fd`. Its
  /// file, if it has one, is left alone. Sets FD_CLOEXEC and O_NONBLOCK. Errors as those of
  /// TcpListener::adopt(): EAFNOSUPPORT if it is no Unix socket. `fd` then stays the caller's.
  static Result<UnixListener> adopt(int fd);

  /// The next connection. Suspends until there is one. Errors and shortages: as TcpListener::accept().
  Result<UnixStream> accept() { return accept_until(Deadline::never()); }
  Result<UnixStream> accept_until(Deadline deadline);
  /// A connection that is queued already; Errc::would_block if there is none. Does not suspend.
  Result<UnixStream> try_accept();

  Result<std::unique_ptr<Stream>> accept_stream(Deadline deadline = Deadline::never()) override;
  Result<std::unique_ptr<Stream>> try_accept_stream() override;
  /// Only the original removes the file of a path.
  Result<std::unique_ptr<Listener>> duplicate_listener() const override;
  /// Errc::unsupported: a client of a Unix socket would not try again.
  Result<void> stop_admitting() override { return Errc::unsupported; }
  /// Stops listening: fibers in accept() get Errc::closed. Connections in its queue are reset.
  Result<void> close() override;
  bool is_open() const noexcept override;
  std::string local_name() const override;

  Result<UnixAddress> local_address() const;
  /// The file descriptor's number, or -1 if closed. The listener still owns it.
  int native_handle() const noexcept;

 private:
  friend struct weft::detail::StreamAccess;
  /// The file that bind() made: it is removed only while it is the same.
  struct File {
    std::string path = {};
    std::uint32_t process = 0;  ///< a child of fork() leaves its parent's file alone
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };

  explicit UnixListener(weft::detail::DescriptorHandle handle) noexcept : handle_(handle) {}
  void remove_file() noexcept;
  weft::detail::DescriptorHandle descriptor() const noexcept override { return handle_; }

  weft::detail::DescriptorHandle handle_;
  File file_;
};

}  // namespace weft::net
