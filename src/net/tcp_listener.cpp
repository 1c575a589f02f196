// SPDX-License-Identifier: Apache-2.0
#include <weft/net/tcp_listener.hpp>
#include <weft/this_fiber.hpp>

#include "base/limited_log.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "net/network_here.hpp"
#include "net/sockaddr.hpp"
#include "sys/errors.hpp"
#include "sys/io.hpp"
#include "sys/socket_filter.hpp"
#include "sys/socket_options.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <tuple>

namespace weft::net {
namespace {

constexpr std::int64_t kPauseFirstNs = 5'000'000;
// No longer: close() does not wake a fiber in a pause.
constexpr std::int64_t kPauseMaxNs = 100'000'000;
/// Skipped in a row before it is a pause's turn: the fiber must not spin, whatever the kernel says.
constexpr int kDeadConnectionsMax = 64;

bool is_one_of(const std::error_code& error, std::initializer_list<int> values) noexcept {
  return std::any_of(values.begin(), values.end(), [&](int value) { return sys::is_errno(error, value); });
}

// The connection was gone before it was accepted, or died of something the network or a firewall did to it:
// accept(2) says to treat these like "not now" and to try again.
bool concerns_one_connection(const std::error_code& error) noexcept {
  return is_one_of(error, {ECONNABORTED, ECONNRESET, ECONNREFUSED, ENOTCONN, EPROTO, EPERM, ENETDOWN,
                           ENETRESET, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH,
                           ETIMEDOUT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPIPE});
}

// The listener itself has ended, or the call. Everything else is a shortage, whatever the kernel calls it: of
// descriptors, memory, buffers, or of what may be registered with an epoll (ENOSPC).
bool ends_accepting(const std::error_code& error) noexcept {
  return error.category() != std::system_category() || is_one_of(error, {EBADF, EINVAL, ENOTSOCK, EFAULT});
}

/// The kernel has no IPv6, or none is switched on.
bool has_no_v6(const std::error_code& error) noexcept {
  return is_one_of(error, {EAFNOSUPPORT, EADDRNOTAVAIL});
}

/// Said once for the process until an accept works again: every listener suffers from the same shortage. Now
/// and then only, as peers that come and go can make it come and go.
Atomic<bool> shortage_reported{false};
constinit LimitedLog shortage_log;

void report_shortage(const std::error_code& error) {
  if (shortage_reported.exchange(true, relaxed)) return;
  shortage_log.write(
      {"weft: accept() has to wait: ", error.message(), "; it goes on when there is room again"});
}

// Whether accept() can take TCP connections from it.
Result<void> check_listening(int fd) noexcept {
  const Result<int> family = sys::get_option(fd, SOL_SOCKET, SO_DOMAIN);
  if (!family) return family.error();
  if (*family != AF_INET && *family != AF_INET6) return sys::error_of(EAFNOSUPPORT);
  const Result<int> type = sys::get_option(fd, SOL_SOCKET, SO_TYPE);
  if (!type) return type.error();
  if (*type != SOCK_STREAM) return sys::error_of(EPROTOTYPE);
  const Result<int> listens = sys::get_option(fd, SOL_SOCKET, SO_ACCEPTCONN);
  if (!listens) return listens.error();
  if (*listens == 0) return sys::error_of(EINVAL);
  return {};
}

// As the loop makes its own.
Result<void> prepare_listening(int fd) noexcept {
  if (auto set = sys::set_close_on_exec(fd, true); !set) return set;
  if (auto set = sys::set_nonblocking(fd, true); !set) return set;
  return sys::set_no_delay(fd, true);
}

}  // namespace

TcpListener& TcpListener::operator=(TcpListener&& other) noexcept {
  if (this != &other) {
    if (handle_) std::ignore = close_descriptor(handle_);
    handle_ = other.handle_.take();
  }
  return *this;
}

TcpListener::~TcpListener() {
  if (handle_) std::ignore = close_descriptor(handle_);
}

Result<TcpListener> TcpListener::bind(const SocketAddress& address, const ListenOptions& options) {
  Network& network = network_here("TcpListener::bind()");
  if (options.backlog < 0) return sys::error_of(EINVAL);
  const ListenParameters parameters{.backlog = options.backlog, .reuse_port = options.reuse_port};
  Result<DescriptorHandle> handle = network.listen(to_raw(address), parameters);
  if (!handle && address.ip() == IpAddress::v6_any() && has_no_v6(handle.error()))
    handle = network.listen(to_raw({IpAddress::v4_any(), address.port()}), parameters);
  if (!handle) return detail::failure_about(handle.error(), "listening at", address.to_string());
  return TcpListener(*handle);
}

Result<TcpListener> TcpListener::bind(std::string_view address, const ListenOptions& options) {
  const Result<SocketAddress> parsed = SocketAddress::parse(address);
  if (!parsed) return detail::failure_about(parsed.error(), "listening at", address);
  return bind(*parsed, options);
}

Result<TcpListener> TcpListener::adopt(int fd) {
  require_fiber("TcpListener::adopt()");
  if (this_runner()->network != nullptr) return Errc::unsupported;  // of a simulated world
  if (const Result<void> listening = check_listening(fd); !listening) return listening.error();
  if (const Result<void> prepared = prepare_listening(fd); !prepared) return prepared.error();
  sys::Fd owned(fd);
  const Result<DescriptorHandle> handle = Files::adopt(owned, DescriptorKind::kListener);
  if (!handle) {
    std::ignore = owned.release();
    return handle.error();
  }
  return TcpListener(*handle);
}

Result<TcpListener> TcpListener::duplicate() const {
  require_fiber("TcpListener::duplicate()");
  const DescriptorUse descriptor(handle_);
  if (!descriptor) return Errc::closed;
  if (descriptor->fd < 0) return Errc::unsupported;
  Result<sys::Fd> copy = sys::duplicate(descriptor->fd);
  if (!copy) return copy.error();
  const Result<DescriptorHandle> handle = Files::adopt(*copy, DescriptorKind::kListener);
  if (!handle) return handle.error();
  return TcpListener(*handle);
}

Result<TcpStream> TcpListener::try_accept() {
  Network& network = network_here("TcpListener::try_accept()");
  for (int dead_connections = 0;; ++dead_connections) {
    const Result<Accepted> accepted = network.try_accept(handle_);
    if (accepted) return TcpStream(accepted->handle);
    if (sys::would_block(accepted.error())) return Errc::would_block;
    if (!concerns_one_connection(accepted.error()) || dead_connections == kDeadConnectionsMax)
      return accepted.error();
  }
}

Result<void> TcpListener::stop_admitting() {
  const DescriptorUse descriptor(handle_);
  if (!descriptor) return Errc::closed;
  if (descriptor->fd < 0) return Errc::unsupported;
  return sys::drop_new_connections(descriptor->fd);
}

Result<TcpStream> TcpListener::accept_until(Deadline deadline) {
  Network& network = network_here("TcpListener::accept()");
  int dead_connections = 0;
  for (std::int64_t pause_ns = kPauseFirstNs;;) {
    const Result<Accepted> accepted = network.accept(handle_, deadline);
    if (accepted) {
      shortage_reported.store(false, relaxed);
      return TcpStream(accepted->handle);
    }
    const std::error_code error = accepted.error();
    const bool of_connection = concerns_one_connection(error);
    if (of_connection && ++dead_connections <= kDeadConnectionsMax) continue;
    if (ends_accepting(error)) return error;
    report_shortage(error);
    if (auto paused = sleep_until(std::min(Deadline::after_ns(pause_ns), deadline)); !paused)
      return paused.error();
    if (!is_open()) return Errc::closed;
    if (deadline.passed()) return Errc::timed_out;
    pause_ns = std::min(pause_ns * 2, kPauseMaxNs);
  }
}

Result<void> TcpListener::close() {
  if (!handle_) return Errc::closed;
  return close_descriptor(handle_);
}

Result<SocketAddress> TcpListener::local_address() const {
  require_fiber("TcpListener::local_address()");
  Result<sys::RawAddress> raw = Files::local_address(handle_);
  if (!raw) return raw.error();
  return from_raw(*raw);
}

bool TcpListener::is_open() const noexcept { return static_cast<bool>(DescriptorUse(handle_)); }

int TcpListener::native_handle() const noexcept {
  DescriptorUse descriptor(handle_);
  return descriptor ? descriptor->fd : -1;
}

}  // namespace weft::net
