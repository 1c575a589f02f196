// SPDX-License-Identifier: Apache-2.0
#include <weft/net/tcp_listener.hpp>

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"
#include "net/accept_loop.hpp"
#include "net/connect/listen_by_name.hpp"
#include "net/sockaddr.hpp"
#include "sys/errors.hpp"
#include "sys/socket_filter.hpp"
#include "sys/socket_options.hpp"

namespace weft::net {
namespace {

/// The kernel has no IPv6, or none is switched on.
bool has_no_v6(const std::error_code& error) noexcept {
  return sys::is_errno(error, EAFNOSUPPORT) || sys::is_errno(error, EADDRNOTAVAIL);
}

}  // namespace

TcpListener& TcpListener::operator=(TcpListener&& other) noexcept {
  io::transfer(handle_, other.handle_);
  return *this;
}

TcpListener::~TcpListener() { io::close_if_open(handle_); }

Result<TcpListener> TcpListener::bind(const SocketAddress& address, const ListenOptions& options) {
  Network& network = network_here("TcpListener::bind()");
  if (options.backlog < 0) return sys::error_of(EINVAL);
  const ListenParameters parameters{.backlog = options.backlog, .reuse_port = options.reuse_port};
  Result<DescriptorHandle> handle = network.listen(to_raw(address), parameters);
  if (!handle && address.ip() == IpAddress::v6_any() && has_no_v6(handle.error()))
    handle = network.listen(to_raw({IpAddress::v4_any(), address.port()}), parameters);
  if (!handle) return weft::detail::failure_about(handle.error(), "listening at", address.to_string());
  return TcpListener(*handle);
}

Result<TcpListener> TcpListener::bind(std::string_view address, const ListenOptions& options) {
  require_fiber("TcpListener::bind()");
  const Result<std::vector<SocketAddress>> addresses = addresses_to_listen_at(address);
  if (!addresses) return addresses.failure();
  return bind(addresses->front(), options);
}

Result<TcpListener> TcpListener::adopt(int fd) {
  require_fiber("TcpListener::adopt()");
  if (this_runner()->network != nullptr) return Errc::unsupported;  // of a simulated world
  if (const Result<void> listening = check_listening(fd, AF_INET, AF_INET6); !listening)
    return listening.error();
  if (const Result<void> set = sys::set_no_delay(fd, true); !set) return set.error();
  const Result<DescriptorHandle> handle = adopt_listening(fd);
  if (!handle) return handle.error();
  return TcpListener(*handle);
}

Result<TcpListener> TcpListener::duplicate() const {
  const Result<DescriptorHandle> handle = duplicate_socket(handle_, "TcpListener::duplicate()");
  if (!handle) return handle.error();
  return TcpListener(*handle);
}

Result<std::unique_ptr<Listener>> TcpListener::duplicate_listener() const {
  Result<TcpListener> copy = duplicate();
  if (!copy) return copy.error();
  return std::unique_ptr<Listener>(std::make_unique<TcpListener>(std::move(*copy)));
}

Result<TcpStream> TcpListener::accept_until(Deadline deadline) {
  return stream_of<TcpStream>(accept_through_shortages(handle_, deadline, "TcpListener::accept()"));
}

Result<TcpStream> TcpListener::try_accept() {
  return stream_of<TcpStream>(accept_queued(handle_, "TcpListener::try_accept()"));
}

Result<std::unique_ptr<Stream>> TcpListener::accept_stream(Deadline deadline) {
  return any_stream_of<TcpStream>(
      accept_through_shortages(handle_, deadline, "TcpListener::accept_stream()"));
}

Result<std::unique_ptr<Stream>> TcpListener::try_accept_stream() {
  return any_stream_of<TcpStream>(accept_queued(handle_, "TcpListener::try_accept_stream()"));
}

Result<void> TcpListener::stop_admitting() {
  return io::with_fd(handle_, [](int fd) { return sys::drop_new_connections(fd); });
}

Result<void> TcpListener::close() { return io::close_once(handle_); }

bool TcpListener::is_open() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }

Result<SocketAddress> TcpListener::local_address() const {
  require_fiber("TcpListener::local_address()");
  Result<sys::RawAddress> raw = Files::local_address(handle_);
  if (!raw) return raw.error();
  return from_raw(*raw);
}

std::string TcpListener::local_name() const {
  const Result<SocketAddress> local = local_address();
  return local ? local->to_string() : std::string();
}

int TcpListener::native_handle() const noexcept { return io::number_of(handle_); }

}  // namespace weft::net
