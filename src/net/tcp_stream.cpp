// SPDX-License-Identifier: Apache-2.0
#include <weft/net/connect.hpp>
#include <weft/net/tcp_stream.hpp>

#include "event_loop/operation/files.hpp"
#include "io/descriptor_calls.hpp"
#include "io/network_here.hpp"
#include "net/sockaddr.hpp"
#include "sys/errors.hpp"
#include "sys/socket_options.hpp"

namespace weft::net {

Result<TcpStream> TcpStream::connect(const SocketAddress& address, Deadline deadline) {
  Result<DescriptorHandle> handle = network_here("TcpStream::connect()").connect(to_raw(address), deadline);
  if (!handle) return weft::detail::failure_about(handle.error(), "connecting to", address.to_string());
  return TcpStream(*handle);
}

Result<TcpStream> TcpStream::connect(std::string_view address, Deadline deadline) {
  return net::connect(address, deadline);
}

Result<SocketAddress> TcpStream::local_address() const {
  require_fiber("TcpStream::local_address()");
  Result<sys::RawAddress> raw = Files::local_address(handle_);
  if (!raw) return raw.error();
  return from_raw(*raw);
}

Result<SocketAddress> TcpStream::peer_address() const {
  require_fiber("TcpStream::peer_address()");
  Result<sys::RawAddress> raw = Files::peer_address(handle_);
  if (!raw) return raw.error();
  return from_raw(*raw);
}

std::string TcpStream::peer_name() const {
  const Result<SocketAddress> peer = peer_address();
  return peer ? peer->to_string() : std::string();
}

Result<void> TcpStream::set_no_delay(bool on) {
  return io::with_fd(handle_, [&](int fd) { return sys::set_no_delay(fd, on); });
}
Result<bool> TcpStream::no_delay() const {
  return io::with_fd(handle_, [](int fd) { return sys::no_delay(fd); });
}

Result<void> TcpStream::set_keep_alive(std::optional<std::chrono::seconds> idle) {
  if (idle && *idle < std::chrono::seconds(1)) return sys::error_of(EINVAL);
  std::optional<sys::KeepAlive> keep_alive;
  if (idle) keep_alive = sys::KeepAlive{.idle = *idle};
  return io::with_fd(handle_, [&](int fd) { return sys::set_keep_alive(fd, keep_alive); });
}

Result<void> TcpStream::set_linger(std::optional<std::chrono::seconds> timeout) {
  if (timeout && *timeout < std::chrono::seconds(0)) return sys::error_of(EINVAL);
  return io::with_fd(handle_, [&](int fd) { return sys::set_linger(fd, timeout); });
}

}  // namespace weft::net
