// SPDX-License-Identifier: Apache-2.0
#include <weft/http/server.hpp>

#include "http/server/core.hpp"

#include <utility>

namespace weft::http {

Server::Server(const Limits& limits) : core_(std::make_unique<Core>(limits)) {}

Server::~Server() {
  core_->stop(Deadline::at_ns(0));
  [[maybe_unused]] const Result<void> waited = core_->wait();
}

Server& Server::route(Method method, std::string_view pattern, Handler handler) {
  core_->routes.add(method, pattern, std::move(handler));
  return *this;
}

Result<net::SocketAddress> Server::start(std::string_view address, const ServeOptions& options) {
  Result<net::SocketAddress> started = core_->start(address, options);
  if (!started) return detail::failure_about(started.error(), "listening at", address);
  return started;
}

Result<net::SocketAddress> Server::start(net::TcpListener listener, const ServeOptions& options) {
  return core_->start(std::move(listener), options);
}

Result<void> Server::start(std::unique_ptr<net::Listener> listener, const ServeOptions& options) {
  return core_->start(std::move(listener), options);
}

Result<void> Server::wait() { return core_->wait(); }

Result<void> Server::listen(std::string_view address, const ServeOptions& options) {
  if (Result<net::SocketAddress> bound = start(address, options); !bound) return bound.failure();
  return wait();
}

void Server::stop(Deadline deadline) { core_->stop(deadline); }

ServerCounters Server::counters() const { return core_->counters(); }

}  // namespace weft::http
