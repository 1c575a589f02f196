// SPDX-License-Identifier: Apache-2.0
#include <weft/net/unix_listener.hpp>

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"
#include "net/accept_loop.hpp"
#include "net/stale_socket.hpp"
#include "net/unix_sockaddr.hpp"
#include "sys/errors.hpp"

#include <utility>

namespace weft::net {
UnixListener::UnixListener(UnixListener&& other) noexcept
    : handle_(other.handle_.take()), file_(std::move(other.file_)) {}

UnixListener& UnixListener::operator=(UnixListener&& other) noexcept {
  if (this == &other) return *this;
  file_.remove();
  io::transfer(handle_, other.handle_);
  file_ = std::move(other.file_);
  return *this;
}

// The file goes before the socket: a client that finds it is accepted, or reset, but not refused by a name
// without a listener.
UnixListener::~UnixListener() {
  file_.remove();
  io::close_if_open(handle_);
}

Result<UnixListener> UnixListener::bind(const UnixAddress& address, const UnixListenOptions& options) {
  Network& network = network_here("UnixListener::bind()");
  const auto failed = [&](std::error_code error) {
    return weft::detail::failure_about(error, "listening at", address.to_string());
  };
  if (options.backlog < 0) return sys::error_of(EINVAL);
  if (address.is_unnamed()) return failed(make_error_code(Errc::invalid_address));
  const bool has_file = address.is_path() && this_runner()->network == nullptr;
  const ListenParameters parameters{.backlog = options.backlog,
                                    .mode = has_file ? options.mode : std::nullopt};
  Result<DescriptorHandle> handle = network.listen(to_raw(address), parameters);
  if (!handle && has_file && options.replace_stale && sys::is_errno(handle.error(), EADDRINUSE)) {
    remove_stale_socket(address, SOCK_STREAM);
    handle = network.listen(to_raw(address), parameters);
  }
  if (!handle) return failed(handle.error());
  UnixListener listener(*handle);
  if (has_file) listener.file_ = weft::detail::SocketFile(std::string(address.name()));
  return listener;
}

Result<UnixListener> UnixListener::bind(std::string_view address, const UnixListenOptions& options) {
  const Result<UnixAddress> parsed = UnixAddress::parse(address);
  if (!parsed) return weft::detail::failure_about(parsed.error(), "listening at", address);
  return bind(*parsed, options);
}

Result<UnixListener> UnixListener::adopt(int fd) {
  require_fiber("UnixListener::adopt()");
  if (this_runner()->network != nullptr) return Errc::unsupported;  // of a simulated world
  if (const Result<void> listening = check_listening(fd, AF_UNIX, AF_UNIX); !listening)
    return listening.error();
  const Result<DescriptorHandle> handle = adopt_listening(fd);
  if (!handle) return handle.error();
  return UnixListener(*handle);
}

Result<std::unique_ptr<Listener>> UnixListener::duplicate_listener() const {
  const Result<DescriptorHandle> handle = duplicate_socket(handle_, "UnixListener::duplicate_listener()");
  if (!handle) return handle.error();
  return std::unique_ptr<Listener>(new UnixListener(*handle));
}

Result<UnixStream> UnixListener::accept_until(Deadline deadline) {
  return stream_of<UnixStream>(accept_through_shortages(handle_, deadline, "UnixListener::accept()"));
}

Result<UnixStream> UnixListener::try_accept() {
  return stream_of<UnixStream>(accept_queued(handle_, "UnixListener::try_accept()"));
}

Result<std::unique_ptr<Stream>> UnixListener::accept_stream(Deadline deadline) {
  return any_stream_of<UnixStream>(
      accept_through_shortages(handle_, deadline, "UnixListener::accept_stream()"));
}

Result<std::unique_ptr<Stream>> UnixListener::try_accept_stream() {
  return any_stream_of<UnixStream>(accept_queued(handle_, "UnixListener::try_accept_stream()"));
}

Result<void> UnixListener::close() {
  file_.remove();
  return io::close_once(handle_);
}

bool UnixListener::is_open() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }

Result<UnixAddress> UnixListener::local_address() const {
  require_fiber("UnixListener::local_address()");
  const Result<sys::RawAddress> raw = Files::local_address(handle_);
  if (!raw) return raw.error();
  return unix_from_raw(*raw);
}

std::string UnixListener::local_name() const {
  const Result<UnixAddress> local = local_address();
  return local ? local->to_string() : std::string();
}

int UnixListener::native_handle() const noexcept { return io::number_of(handle_); }

}  // namespace weft::net
