// SPDX-License-Identifier: Apache-2.0
#include "net/connect/listen_by_name.hpp"

#include "io/network_here.hpp"
#include "net/resolve/host_service.hpp"
#include "sys/errors.hpp"

#include <weft/net/connect.hpp>

#include <algorithm>

namespace weft::net {
namespace {

/// The system does not have that family, or that address.
bool is_absent(const std::error_code& error) noexcept {
  return sys::is_errno(error, EAFNOSUPPORT) || sys::is_errno(error, EADDRNOTAVAIL);
}

}  // namespace

Result<std::vector<SocketAddress>> addresses_to_listen_at(std::string_view text) {
  if (const Result<SocketAddress> numeric = SocketAddress::parse(text))
    return std::vector<SocketAddress>{*numeric};
  const std::optional<HostService> parts = split_host_service(text);
  if (!parts) return weft::detail::failure_about(Errc::invalid_address, "listening at", text);
  const std::string_view host = parts->host.empty() ? std::string_view("::") : parts->host;
  Result<std::vector<SocketAddress>> addresses = default_resolver().resolve(host, parts->service);
  if (!addresses) return weft::detail::failure_about(addresses.error(), "listening at", text);
  std::stable_partition(addresses->begin(), addresses->end(),
                        [](const SocketAddress& each) { return each.ip().is_v4(); });
  return addresses;
}

Result<std::vector<TcpListener>> listen_all(std::string_view address, const ListenOptions& options) {
  require_fiber("net::listen_all()");
  const Result<std::vector<SocketAddress>> addresses = addresses_to_listen_at(address);
  if (!addresses) return addresses.failure();
  std::vector<TcpListener> listeners;
  weft::detail::Failure absent;
  std::uint16_t port = 0;
  for (const SocketAddress& each : *addresses) {
    Result<TcpListener> listener = TcpListener::bind(port != 0 ? each.with_port(port) : each, options);
    if (!listener && !is_absent(listener.error())) return listener.failure();
    if (!listener) {
      absent = listener.failure();
      continue;
    }
    if (port == 0) port = listener->local_address().value().port();
    listeners.push_back(std::move(*listener));
  }
  if (listeners.empty()) return absent;
  return listeners;
}

}  // namespace weft::net
