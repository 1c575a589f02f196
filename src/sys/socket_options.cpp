// SPDX-License-Identifier: Apache-2.0
#include "sys/socket_options.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/syscall.hpp"

#include <limits>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace weft::sys {
namespace {

[[gnu::noinline]] long raw_get(int fd, int level, int name, void* value, socklen_t size) noexcept {
  return attempt(Call::get_option, fd,
                 [&](std::size_t) { return raw_answer(::getsockopt(fd, level, name, value, &size)); });
}

[[gnu::noinline]] long raw_set(int fd, int level, int name, const void* value, socklen_t size) noexcept {
  return attempt(Call::set_option, fd,
                 [&](std::size_t) { return raw_answer(::setsockopt(fd, level, name, value, size)); });
}

/// A count of time units as the kernel takes it; what does not fit becomes the nearest that does, and a
/// negative one is left for the kernel to refuse.
int to_int(std::int64_t count) noexcept {
  if (count > std::numeric_limits<int>::max()) return std::numeric_limits<int>::max();
  return count < 0 ? -1 : static_cast<int>(count);
}

Result<void> set_tcp(int fd, int name, std::int64_t value) noexcept {
  return set_option(fd, IPPROTO_TCP, name, to_int(value));
}

}  // namespace

Result<ucred> peer_credentials(int fd) noexcept {
  ucred peer{};
  const long done = raw_get(fd, SOL_SOCKET, SO_PEERCRED, &peer, sizeof(peer));
  if (done < 0) return error_of(static_cast<int>(-done));
  return peer;
}

Result<int> get_option(int fd, int level, int name) noexcept {
  int value = 0;
  const long raw = raw_get(fd, level, name, &value, sizeof(value));
  if (raw < 0) return error_of(static_cast<int>(-raw));
  return value;
}

Result<void> set_option(int fd, int level, int name, int value) noexcept {
  return void_result(raw_set(fd, level, name, &value, sizeof(value)));
}

Result<void> set_option(int fd, int level, int name, std::span<const std::byte> value) noexcept {
  return void_result(raw_set(fd, level, name, value.data(), static_cast<socklen_t>(value.size())));
}

Result<void> set_reuse_address(int fd, bool on) noexcept {
  return set_option(fd, SOL_SOCKET, SO_REUSEADDR, on ? 1 : 0);
}

Result<void> set_reuse_port(int fd, bool on) noexcept {
  return set_option(fd, SOL_SOCKET, SO_REUSEPORT, on ? 1 : 0);
}

Result<void> set_v6_only(int fd, bool on) noexcept {
  return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, on ? 1 : 0);
}

Result<void> set_no_delay(int fd, bool on) noexcept { return set_tcp(fd, TCP_NODELAY, on ? 1 : 0); }

Result<bool> no_delay(int fd) noexcept {
  const Result<int> value = get_option(fd, IPPROTO_TCP, TCP_NODELAY);
  if (!value) return value.error();
  return *value != 0;
}

Result<void> set_quick_ack(int fd, bool on) noexcept { return set_tcp(fd, TCP_QUICKACK, on ? 1 : 0); }

Result<void> set_keep_alive(int fd, const std::optional<KeepAlive>& keep_alive) noexcept {
  if (!keep_alive) return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
  if (auto set = set_tcp(fd, TCP_KEEPIDLE, keep_alive->idle.count()); !set) return set;
  if (auto set = set_tcp(fd, TCP_KEEPINTVL, keep_alive->interval.count()); !set) return set;
  if (auto set = set_tcp(fd, TCP_KEEPCNT, keep_alive->probes); !set) return set;
  return set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

Result<std::optional<KeepAlive>> keep_alive(int fd) noexcept {
  const Result<int> on = get_option(fd, SOL_SOCKET, SO_KEEPALIVE);
  if (!on) return on.error();
  if (*on == 0) return std::optional<KeepAlive>();
  const Result<int> idle = get_option(fd, IPPROTO_TCP, TCP_KEEPIDLE);
  if (!idle) return idle.error();
  const Result<int> interval = get_option(fd, IPPROTO_TCP, TCP_KEEPINTVL);
  if (!interval) return interval.error();
  const Result<int> probes = get_option(fd, IPPROTO_TCP, TCP_KEEPCNT);
  if (!probes) return probes.error();
  return std::optional(KeepAlive{std::chrono::seconds(*idle), std::chrono::seconds(*interval), *probes});
}

Result<void> set_linger(int fd, std::optional<std::chrono::seconds> timeout) noexcept {
  struct ::linger value {};
  value.l_onoff = timeout ? 1 : 0;
  value.l_linger = timeout ? to_int(timeout->count()) : 0;
  return void_result(raw_set(fd, SOL_SOCKET, SO_LINGER, &value, sizeof(value)));
}

Result<std::optional<std::chrono::seconds>> linger(int fd) noexcept {
  struct ::linger value {};
  const long raw = raw_get(fd, SOL_SOCKET, SO_LINGER, &value, sizeof(value));
  if (raw < 0) return error_of(static_cast<int>(-raw));
  if (value.l_onoff == 0) return std::optional<std::chrono::seconds>();
  return std::optional(std::chrono::seconds(value.l_linger));
}

Result<void> set_send_buffer_size(int fd, int size) noexcept {
  return set_option(fd, SOL_SOCKET, SO_SNDBUF, size);
}

Result<void> set_receive_buffer_size(int fd, int size) noexcept {
  return set_option(fd, SOL_SOCKET, SO_RCVBUF, size);
}

Result<int> send_buffer_size(int fd) noexcept { return get_option(fd, SOL_SOCKET, SO_SNDBUF); }
Result<int> receive_buffer_size(int fd) noexcept { return get_option(fd, SOL_SOCKET, SO_RCVBUF); }

Result<void> set_user_timeout(int fd, std::chrono::milliseconds timeout) noexcept {
  return set_tcp(fd, TCP_USER_TIMEOUT, timeout.count());
}

Result<std::chrono::milliseconds> user_timeout(int fd) noexcept {
  const Result<int> value = get_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT);
  if (!value) return value.error();
  return std::chrono::milliseconds(*value);
}

Result<void> set_defer_accept(int fd, std::chrono::seconds timeout) noexcept {
  return set_tcp(fd, TCP_DEFER_ACCEPT, timeout.count());
}

}  // namespace weft::sys
