// SPDX-License-Identifier: Apache-2.0
#include "http/server/core.hpp"

#include "base/current_exception.hpp"
#include "base/limited_log.hpp"
#include "http/server/acceptor.hpp"

#include <weft/this_fiber.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace weft::http {

using server::Connection;

namespace {

// A client chooses how many connections there are.
constinit LimitedLog connection_log;

std::vector<ExecutionContext*> contexts_of(const ServeOptions& options) {
  std::vector<ExecutionContext*> contexts = options.contexts.list();
  if (contexts.empty()) contexts.push_back(nullptr);
  return contexts;
}

}  // namespace

Result<net::SocketAddress> Server::Core::start(std::string_view text, const ServeOptions& options) {
  if (drain_.begun()) return Errc::closed;
  const std::vector<ExecutionContext*> contexts = contexts_of(options);
  const bool reuse_port = options.reuse_port || contexts.size() > 1;
  const net::ListenOptions listening{.backlog = options.backlog, .reuse_port = reuse_port};
  net::SocketAddress bound;
  std::vector<Listener> listeners;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    Result<net::TcpListener> listener =
        i == 0 ? net::TcpListener::bind(text, listening) : net::TcpListener::bind(bound, listening);
    if (!listener) return listener.error();
    const Result<net::SocketAddress> local = listener->local_address();
    if (!local) return local.error();
    bound = *local;  // port 0 became a number, which the others share
    listeners.push_back(std::make_shared<net::TcpListener>(std::move(*listener)));
  }
  const Result<void> accepting = accept_from(
      listeners, contexts, {.batch_responses = options.batch_responses, .hands_over = options.reuse_port});
  if (!accepting) return accepting.error();
  return bound;
}

Result<net::SocketAddress> Server::Core::start(net::TcpListener listener, const ServeOptions& options) {
  const Result<net::SocketAddress> bound = listener.local_address();
  if (!bound) return bound.error();
  const Result<void> started = start(std::make_unique<net::TcpListener>(std::move(listener)), options);
  if (!started) return started.error();
  return bound;
}

// Each further context gets a descriptor of its own for the same socket.
Result<void> Server::Core::start(std::unique_ptr<net::Listener> listener, const ServeOptions& options) {
  if (listener == nullptr || !listener->is_open()) return Errc::closed;
  const std::vector<ExecutionContext*> contexts = contexts_of(options);
  std::vector<Listener> listeners{std::move(listener)};
  while (listeners.size() < contexts.size()) {
    Result<std::unique_ptr<net::Listener>> copy = listeners.front()->duplicate_listener();
    if (!copy) return copy.error();
    listeners.push_back(std::move(*copy));
  }
  return accept_from(listeners, contexts, {.batch_responses = options.batch_responses});
}

// All of them accept or none does, whatever there is no memory for.
Result<void> Server::Core::accept_from(const std::vector<Listener>& listeners,
                                       const std::vector<ExecutionContext*>& contexts, Accepting accepting) {
  struct JoinAtExit {  // acceptors that see that they may not accept: they use this object
    std::vector<JoinHandle<void>> acceptors;
    ~JoinAtExit() {
      for (JoinHandle<void>& acceptor : acceptors) acceptor.join_uncancellable();
    }
  } begun;
  begun.acceptors.reserve(listeners.size());
  // After the lock is given back the acceptors look whether their listener is listed.
  std::scoped_lock lock(lock_);
  if (drain_.begun()) return Errc::closed;
  listeners_.reserve(listeners_.size() + listeners.size());
  acceptors_.reserve(acceptors_.size() + listeners.size());
  for (std::size_t i = 0; i < listeners.size(); ++i)
    begun.acceptors.push_back(spawn_acceptor(listeners[i], contexts[i], accepting));
  listeners_.insert(listeners_.end(), listeners.begin(), listeners.end());
  std::move(begun.acceptors.begin(), begun.acceptors.end(), std::back_inserter(acceptors_));
  begun.acceptors.clear();
  return {};
}

JoinHandle<void> Server::Core::spawn_acceptor(const Listener& listener, ExecutionContext* context,
                                              Accepting accepting) {
  auto accept = [this, listener, accepting] {
    if (!may_accept(listener)) return;
    const bool batch = accepting.batch_responses;
    server::Acceptor(listener, drain_, accepting.hands_over,
                     [this, batch](std::unique_ptr<net::Stream> stream) { serve(std::move(stream), batch); })
        .run();
  };
  const SpawnOptions options{.name = "http accept"};
  return context == nullptr ? spawn(std::move(accept), options) : context->spawn(std::move(accept), options);
}

// False: start() has failed.
bool Server::Core::may_accept(const Listener& listener) {
  std::scoped_lock lock(lock_);
  return std::find(listeners_.begin(), listeners_.end(), listener) != listeners_.end();
}

// At the cap its acceptor waits with it, and takes no other.
void Server::Core::serve(std::unique_ptr<net::Stream> stream, bool batch_responses) {
  const auto gives_up = [this] {
    return drain_.begun() ? drain_.deadline().passed() : this_fiber::cancel_requested();
  };
  server::ConnectionPlace place = cap_.take(gives_up);
  if (!place) return;
  auto owned = std::make_unique<Connection>(std::move(stream), shared_, batch_responses);
  Connection& connection = *owned;
  std::scoped_lock lock(lock_);
  connection.handle = spawn(
      [this, owned = std::move(owned)] {
        struct EndAtExit {  // also when a thread's forced unwinding comes by
          Core& core;
          Connection& connection;
          ~EndAtExit() { core.end(connection); }
        } end_at_exit{*this, *owned};
        run(*owned);
      },
      {.name = "http connection"});
  connections_.push_back(connection);
  ++counters_.connections;
  ++counters_.open_connections;
  place.keep();  // end() gives it back
}

// What a connection has no memory for ends it, and no other.
void Server::Core::run(Connection& connection) {
  try {
    connection.run();
  } catch (const std::exception&) {
    const CurrentException exception;
    connection_log.write(
        {"weft: a connection was closed: ", exception.type(), exception.separator(), exception.what()});
  }
}

// A connection that is still listed lets itself go; another is being joined.
void Server::Core::end(Connection& connection) {
  connection.close();
  cap_.give_back();
  JoinHandle<void> own;
  std::scoped_lock lock(lock_);
  --counters_.open_connections;
  if (!connection.linked()) return;
  connections_.remove(connection);
  own = std::move(connection.handle);
}

ServerCounters Server::Core::counters() {
  std::scoped_lock lock(lock_);
  return counters_;
}

}  // namespace weft::http
