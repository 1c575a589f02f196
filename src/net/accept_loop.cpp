// SPDX-License-Identifier: Apache-2.0
#include "net/accept_loop.hpp"

#include <weft/this_fiber.hpp>

#include "base/limited_log.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/operation/files.hpp"
#include "io/network_here.hpp"
#include "sys/errors.hpp"
#include "sys/io.hpp"
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

/// Said once for the process until an accept works again: every listener suffers from the same shortage. Now
/// and then only, as peers that come and go can make it come and go.
Atomic<bool> shortage_reported{false};
constinit LimitedLog shortage_log;

void report_shortage(const std::error_code& error) {
  if (shortage_reported.exchange(true, relaxed)) return;
  shortage_log.write(
      {"weft: accept() has to wait: ", error.message(), "; it goes on when there is room again"});
}

}  // namespace

Result<Accepted> accept_through_shortages(DescriptorHandle listener, Deadline deadline, const char* call) {
  Network& network = network_here(call);
  int dead_connections = 0;
  for (std::int64_t pause_ns = kPauseFirstNs;;) {
    const Result<Accepted> accepted = network.accept(listener, deadline);
    if (accepted) {
      shortage_reported.store(false, relaxed);
      return accepted;
    }
    const std::error_code error = accepted.error();
    const bool of_connection = concerns_one_connection(error);
    if (of_connection && ++dead_connections <= kDeadConnectionsMax) continue;
    if (ends_accepting(error)) return error;
    report_shortage(error);
    if (auto paused = sleep_until(std::min(Deadline::after_ns(pause_ns), deadline)); !paused)
      return paused.error();
    if (!DescriptorUse(listener)) return Errc::closed;
    if (deadline.passed()) return Errc::timed_out;
    pause_ns = std::min(pause_ns * 2, kPauseMaxNs);
  }
}

Result<Accepted> accept_queued(DescriptorHandle listener, const char* call) {
  Network& network = network_here(call);
  for (int dead_connections = 0;; ++dead_connections) {
    const Result<Accepted> accepted = network.try_accept(listener);
    if (accepted) return accepted;
    if (sys::would_block(accepted.error())) return Errc::would_block;
    if (!concerns_one_connection(accepted.error()) || dead_connections == kDeadConnectionsMax)
      return accepted.error();
  }
}

Result<DescriptorHandle> duplicate_socket(DescriptorHandle listener, const char* call) {
  require_fiber(call);
  const DescriptorUse descriptor(listener);
  if (!descriptor) return Errc::closed;
  if (descriptor->fd < 0) return Errc::unsupported;
  Result<sys::Fd> copy = sys::duplicate(descriptor->fd);
  if (!copy) return copy.error();
  return Files::adopt(*copy, DescriptorKind::kListener);
}

Result<void> check_listening(int fd, int family, int other_family) noexcept {
  const Result<int> domain = sys::get_option(fd, SOL_SOCKET, SO_DOMAIN);
  if (!domain) return domain.error();
  if (*domain != family && *domain != other_family) return sys::error_of(EAFNOSUPPORT);
  const Result<int> type = sys::get_option(fd, SOL_SOCKET, SO_TYPE);
  if (!type) return type.error();
  if (*type != SOCK_STREAM) return sys::error_of(EPROTOTYPE);
  const Result<int> listens = sys::get_option(fd, SOL_SOCKET, SO_ACCEPTCONN);
  if (!listens) return listens.error();
  if (*listens == 0) return sys::error_of(EINVAL);
  return {};
}

Result<DescriptorHandle> adopt_listening(int fd) noexcept {
  if (auto set = sys::set_close_on_exec(fd, true); !set) return set.error();
  if (auto set = sys::set_nonblocking(fd, true); !set) return set.error();
  sys::Fd owned(fd);
  const Result<DescriptorHandle> handle = Files::adopt(owned, DescriptorKind::kListener);
  if (!handle) std::ignore = owned.release();
  return handle;
}

}  // namespace weft::net
