// SPDX-License-Identifier: Apache-2.0
#include <weft/http/server.hpp>

#include "base/current_exception.hpp"
#include "base/limited_log.hpp"
#include "base/panic.hpp"
#include "http/server/connection.hpp"
#include "http/server/connection_cap.hpp"
#include "http/server/routes.hpp"

#include <weft/this_fiber.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace weft::http {

using server::Connection;

namespace {

/// While a drain lasts, how often its deadline is looked up: stop() may have been called again with an
/// earlier one.
constexpr std::chrono::milliseconds kDeadlineLookup{50};
/// After a connection that could not be accepted or served; doubled while it goes on.
constexpr std::chrono::milliseconds kShortagePauseFirst{5};
constexpr std::chrono::milliseconds kShortagePauseMax{100};

// A client chooses how many connections there are.
constinit LimitedLog shortage_log;
constinit LimitedLog connection_log;

}  // namespace

// Thread safety: `lock_` guards what several fibers use. It is a std::mutex that is never held over a
// suspension.
class Server::Core {
 public:
  explicit Core(const Limits& limits) : limits_(limits), cap_(limits.connections_max) {}

  server::Routes routes;

  Result<net::SocketAddress> start(std::string_view address, const ServeOptions& options);
  Result<void> wait();
  void stop(Deadline deadline);
  ServerCounters counters();

 private:
  using Listener = std::shared_ptr<net::TcpListener>;
  enum class Accepting { kServed, kShortage, kEnd };

  Result<Listener> bind(const net::SocketAddress& address, const ServeOptions& options, bool reuse_port);
  Result<void> accept_from(const std::vector<Listener>& listeners,
                           const std::vector<ExecutionContext*>& contexts, bool batch_responses);
  JoinHandle<void> spawn_acceptor(const Listener& listener, ExecutionContext* context, bool batch_responses);
  bool may_accept(const Listener& listener);
  void accept_loop(net::TcpListener& listener, bool batch_responses);
  Accepting accept_one(net::TcpListener& listener, bool batch_responses);
  void serve(net::TcpStream stream, bool batch_responses);
  static void run(Connection& connection);
  void end(Connection& connection);
  JoinHandle<void> take_acceptor();
  JoinHandle<void> take_connection();
  Result<void> join(JoinHandle<void> handle);
  void cancel_connections();
  Deadline drain_deadline();

  const server::ServerLimits limits_;
  server::ConnectionCap cap_;
  Atomic<bool> draining_{false};
  const server::Shared shared_{routes, limits_, draining_};

  std::mutex lock_;
  Deadline deadline_ = Deadline::never();  // of the drain
  std::vector<Listener> listeners_;
  std::vector<JoinHandle<void>> acceptors_;
  IntrusiveList<Connection> connections_;
  ServerCounters counters_;
};

Result<net::SocketAddress> Server::Core::start(std::string_view text, const ServeOptions& options) {
  const Result<net::SocketAddress> address = net::SocketAddress::parse(text);
  if (!address) return address.error();
  if (draining_.load(relaxed)) return Errc::closed;
  std::vector<ExecutionContext*> contexts = options.contexts.list();
  if (contexts.empty()) contexts.push_back(nullptr);
  net::SocketAddress bound = *address;
  std::vector<Listener> listeners;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    Result<Listener> listener = bind(bound, options, contexts.size() > 1);
    if (!listener) return listener.error();
    const Result<net::SocketAddress> local = (*listener)->local_address();
    if (!local) return local.error();
    bound = *local;  // port 0 became a number, which the others share
    listeners.push_back(std::move(*listener));
  }
  const Result<void> accepting = accept_from(listeners, contexts, options.batch_responses);
  if (!accepting) return accepting.error();
  return bound;
}

Result<Server::Core::Listener> Server::Core::bind(const net::SocketAddress& address,
                                                  const ServeOptions& options, bool reuse_port) {
  Result<net::TcpListener> listener =
      net::TcpListener::bind(address, {.backlog = options.backlog, .reuse_port = reuse_port});
  if (!listener) return listener.error();
  return std::make_shared<net::TcpListener>(std::move(*listener));
}

// All of them accept or none does, whatever there is no memory for.
Result<void> Server::Core::accept_from(const std::vector<Listener>& listeners,
                                       const std::vector<ExecutionContext*>& contexts, bool batch_responses) {
  struct JoinAtExit {  // acceptors that see that they may not accept: they use this object
    std::vector<JoinHandle<void>> acceptors;
    ~JoinAtExit() {
      for (JoinHandle<void>& acceptor : acceptors) acceptor.join_uncancellable();
    }
  } begun;
  begun.acceptors.reserve(listeners.size());
  // After the lock is given back the acceptors look whether their listener is listed.
  std::scoped_lock lock(lock_);
  if (draining_.load(relaxed)) return Errc::closed;
  listeners_.reserve(listeners_.size() + listeners.size());
  acceptors_.reserve(acceptors_.size() + listeners.size());
  for (std::size_t i = 0; i < listeners.size(); ++i)
    begun.acceptors.push_back(spawn_acceptor(listeners[i], contexts[i], batch_responses));
  listeners_.insert(listeners_.end(), listeners.begin(), listeners.end());
  std::move(begun.acceptors.begin(), begun.acceptors.end(), std::back_inserter(acceptors_));
  begun.acceptors.clear();
  return {};
}

JoinHandle<void> Server::Core::spawn_acceptor(const Listener& listener, ExecutionContext* context,
                                              bool batch_responses) {
  auto loop = [this, listener, batch_responses] {
    if (may_accept(listener)) accept_loop(*listener, batch_responses);
  };
  const SpawnOptions options{.name = "http accept"};
  return context == nullptr ? spawn(std::move(loop), options) : context->spawn(std::move(loop), options);
}

// False: start() has failed, or stop() was quicker.
bool Server::Core::may_accept(const Listener& listener) {
  std::scoped_lock lock(lock_);
  return std::find(listeners_.begin(), listeners_.end(), listener) != listeners_.end();
}

// Only the listener's own end, or the fiber's, ends it. Whatever else happens is a shortage that may pass.
void Server::Core::accept_loop(net::TcpListener& listener, bool batch_responses) {
  for (std::chrono::milliseconds pause = kShortagePauseFirst;;) {
    const Accepting done = accept_one(listener, batch_responses);
    if (done == Accepting::kEnd) return;
    if (done == Accepting::kServed) {
      pause = kShortagePauseFirst;
      continue;
    }
    if (!sleep(pause)) return;
    pause = std::min(pause * 2, kShortagePauseMax);
  }
}

Server::Core::Accepting Server::Core::accept_one(net::TcpListener& listener, bool batch_responses) {
  try {
    Result<net::TcpStream> stream = listener.accept();
    if (stream) return serve(std::move(*stream), batch_responses), Accepting::kServed;
    const std::error_code error = stream.error();
    if (error == make_error_code(Errc::closed) || error == make_error_code(Errc::cancelled))
      return Accepting::kEnd;
    shortage_log.write({"weft: no connection could be accepted: ", error.message(), "; the server goes on"});
  } catch (const std::exception&) {  // std::bad_alloc, of a message too
    const CurrentException exception;
    shortage_log.write({"weft: a connection could not be served and is closed: ", exception.type(),
                        exception.separator(), exception.what(), "; the server goes on"});
  }
  return Accepting::kShortage;
}

// At the cap its acceptor waits with it, and takes no other.
void Server::Core::serve(net::TcpStream stream, bool batch_responses) {
  const auto gives_up = [this] { return drain_deadline().passed(); };
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

void Server::Core::stop(Deadline deadline) {
  std::vector<Listener> listeners;
  {
    std::scoped_lock lock(lock_);
    deadline_ = std::min(deadline_, deadline);
    draining_.store(true, seq_cst);  // then look who is idle: see Connection::idle_
    listeners.swap(listeners_);
    connections_.for_each([](Connection& connection) { connection.drain(); });
  }
  for (const Listener& listener : listeners) {
    [[maybe_unused]] const Result<void> closed = listener->close();
  }
}

Result<void> Server::Core::wait() {
  Result<void> waited;
  for (JoinHandle<void> acceptor = take_acceptor(); acceptor.joinable(); acceptor = take_acceptor()) {
    const Result<void> joined = acceptor.join();
    if (joined) continue;
    waited = joined;
    stop(Deadline::at_ns(0));
    acceptor.join_uncancellable();
  }
  for (JoinHandle<void> connection = take_connection(); connection.joinable();
       connection = take_connection()) {
    if (const Result<void> joined = join(std::move(connection)); !joined) waited = joined;
  }
  return waited;
}

// Waits for a connection; when the drain is over all of them are cancelled. An error: the calling fiber, or
// the scope around the call, has ended meanwhile.
Result<void> Server::Core::join(JoinHandle<void> handle) {
  WEFT_ASSERT(handle.id() != this_fiber::id(),
              "http::Server::wait() in a handler of the same server waits for itself",
              WEFT_VALUE(handle.id()));
  for (;;) {
    const Deadline deadline = drain_deadline();
    Result<void> joined = handle.join_until(std::min(deadline, Deadline::after(kDeadlineLookup)));
    if (joined) return joined;
    const bool gives_up = this_fiber::cancel_requested();
    if (!gives_up && !deadline.passed()) continue;
    if (gives_up) joined = handle.join();  // at once, with the error of what has ended
    handle.cancel();
    cancel_connections();
    if (handle.joinable()) handle.join_uncancellable();
    return gives_up ? joined : Result<void>();
  }
}

void Server::Core::cancel_connections() {
  std::scoped_lock lock(lock_);
  connections_.for_each([](Connection& connection) { connection.handle.cancel(); });
}

Deadline Server::Core::drain_deadline() {
  std::scoped_lock lock(lock_);
  return deadline_;
}

JoinHandle<void> Server::Core::take_acceptor() {
  std::scoped_lock lock(lock_);
  if (acceptors_.empty()) return {};
  JoinHandle<void> handle = std::move(acceptors_.back());
  acceptors_.pop_back();
  return handle;
}

JoinHandle<void> Server::Core::take_connection() {
  std::scoped_lock lock(lock_);
  Connection* const connection = connections_.pop_front();
  if (connection == nullptr) return {};
  return std::move(connection->handle);
}

ServerCounters Server::Core::counters() {
  std::scoped_lock lock(lock_);
  return counters_;
}

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

Result<void> Server::wait() { return core_->wait(); }

Result<void> Server::listen(std::string_view address, const ServeOptions& options) {
  if (Result<net::SocketAddress> bound = start(address, options); !bound) return bound.failure();
  return wait();
}

void Server::stop(Deadline deadline) { core_->stop(deadline); }

ServerCounters Server::counters() const { return core_->counters(); }

}  // namespace weft::http
