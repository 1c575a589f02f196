// SPDX-License-Identifier: Apache-2.0
#include <weft/net/connect.hpp>

#include "io/network_here.hpp"
#include "net/connect/connect_race.hpp"
#include "net/resolve/host_service.hpp"

#include <weft/cancel_scope.hpp>

namespace weft::net {
namespace {

Result<TcpStream> connect_to_address(const SocketAddress& address, Deadline deadline,
                                     const ConnectOptions& options) {
  Result<TcpStream> stream = TcpStream::connect(address, deadline);
  if (options.attempts != nullptr)
    *options.attempts = {{.address = address, .started_after = {}, .error = stream.error()}};
  return stream;
}

Result<TcpStream> connect_to_name(std::string_view text, const std::string& name, std::uint16_t port,
                                  Deadline deadline, const ConnectOptions& options) {
  Resolver& resolver = options.resolver != nullptr ? *options.resolver : default_resolver();
  CancelScope scope(deadline);  // which also knows the deadlines around it
  ConnectRace race(resolver, name, port, options);
  Result<TcpStream> stream = race.run(scope.deadline());
  const std::string reasons = stream ? std::string() : race.reasons();
  if (options.attempts != nullptr) *options.attempts = race.take_attempts();
  if (stream) return stream;
  std::string about(text);
  if (!reasons.empty()) about.append(" (").append(reasons).append(")");
  return weft::detail::failure_about(stream.error(), "connecting to", about);
}

}  // namespace

Result<TcpStream> connect(std::string_view address, Deadline deadline, const ConnectOptions& options) {
  require_fiber("net::connect()");
  if (options.attempts != nullptr) options.attempts->clear();
  if (const Result<SocketAddress> numeric = SocketAddress::parse(address))
    return connect_to_address(*numeric, deadline, options);
  const auto failed = [&](std::error_code error) {
    return weft::detail::failure_about(error, "connecting to", address);
  };
  const std::optional<HostService> parts = split_host_service(address);
  if (!parts) return failed(Errc::invalid_address);
  const Result<Host> host = parse_host(parts->host);
  if (!host) return failed(host.error());
  const Result<std::uint16_t> port = parse_service(parts->service);
  if (!port) return failed(port.error());
  if (host->address) return connect_to_address({*host->address, *port}, deadline, options);
  return connect_to_name(address, host->name, *port, deadline, options);
}

}  // namespace weft::net
