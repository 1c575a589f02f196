// SPDX-License-Identifier: Apache-2.0
#include <weft/http/server.hpp>

#include "base/current_exception.hpp"
#include "base/limited_log.hpp"
#include "base/panic.hpp"
#include "base/portion.hpp"
#include "http/server/acceptor.hpp"
#include "http/server/connection.hpp"
#include "http/server/connection_cap.hpp"
#include "http/server/drain.hpp"
#include "http/server/routes.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <array>
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
constexpr std::chrono::milliseconds kDeadlineLookup{
    50};  /// After all has ended, how often a stop() that has not returned is looked for: it takes
          /// microseconds.
constexpr std::chrono::milliseconds kStopLookup{1};

// A client chooses how many connections there are.
constinit LimitedLog connection_log;

std::vector<ExecutionContext*> contexts_of(const ServeOptions& options) {
  std::vector<ExecutionContext*> contexts = options.contexts.list();
  if (contexts.empty()) contexts.push_back(nullptr);
  return contexts;
}

}  // namespace

// Thread safety: `lock_` guards what several fibers use. It is a std::mutex that is never held over a
// suspension.
class Server::Core {
 public:
  explicit Core(const Limits& limits)
      : limits_(limits), cap_(limits.connections_max), drain_(limits_.idle_grace_ns) {}

  server::Routes routes;

  Result<net::SocketAddress> start(std::string_view address, const ServeOptions& options);
  Result<net::SocketAddress> start(net::TcpListener listener, const ServeOptions& options);
  Result<void> wait();
  void stop(Deadline deadline);
  ServerCounters counters();

 private:
  using Listener = std::shared_ptr<net::TcpListener>;
  struct Accepting {
    bool batch_responses;
    bool hands_over = false;  ///< see server::Acceptor
  };

  Result<Listener> bind(const net::SocketAddress& address, const ServeOptions& options, bool reuse_port);
  Result<void> accept_from(const std::vector<Listener>& listeners,
                           const std::vector<ExecutionContext*>& contexts, Accepting accepting);
  JoinHandle<void> spawn_acceptor(const Listener& listener, ExecutionContext* context, Accepting accepting);
  bool may_accept(const Listener& listener);
  void serve(net::TcpStream stream, bool batch_responses);
  static void run(Connection& connection);
  void end(Connection& connection);
  JoinHandle<void> take_acceptor();
  JoinHandle<void> take_connection();
  Result<void> join_acceptors();
  Result<void> wait_for_idle();
  void wait_for_stops();
  Result<void> join(JoinHandle<void> handle);
  template <class Visit, class AfterPortion>
  void for_each_connection(std::uint32_t portion, Visit&& visit, AfterPortion&& after_portion);
  void let_idle_go();
  void cancel_connections();

  const server::ServerLimits limits_;
  server::ConnectionCap cap_;
  server::Drain drain_;
  const server::Shared shared_{routes, limits_, drain_};

  std::mutex lock_;
  std::vector<Listener> listeners_;  // of acceptors that may accept
  std::vector<JoinHandle<void>> acceptors_;
  IntrusiveList<Connection> connections_;
  ServerCounters counters_;
  std::uint32_t stops_under_way_ = 0;
};

Result<net::SocketAddress> Server::Core::start(std::string_view text, const ServeOptions& options) {
  const Result<net::SocketAddress> address = net::SocketAddress::parse(text);
  if (!address) return address.error();
  if (drain_.begun()) return Errc::closed;
  const std::vector<ExecutionContext*> contexts = contexts_of(options);
  const bool reuse_port = options.reuse_port || contexts.size() > 1;
  net::SocketAddress bound = *address;
  std::vector<Listener> listeners;
  for (std::size_t i = 0; i < contexts.size(); ++i) {
    Result<Listener> listener = bind(bound, options, reuse_port);
    if (!listener) return listener.error();
    const Result<net::SocketAddress> local = (*listener)->local_address();
    if (!local) return local.error();
    bound = *local;  // port 0 became a number, which the others share
    listeners.push_back(std::move(*listener));
  }
  const Result<void> accepting = accept_from(
      listeners, contexts, {.batch_responses = options.batch_responses, .hands_over = options.reuse_port});
  if (!accepting) return accepting.error();
  return bound;
}

// Each further context gets a descriptor of its own for the same socket.
Result<net::SocketAddress> Server::Core::start(net::TcpListener listener, const ServeOptions& options) {
  const Result<net::SocketAddress> bound = listener.local_address();
  if (!bound) return bound.error();
  const std::vector<ExecutionContext*> contexts = contexts_of(options);
  std::vector<Listener> listeners{std::make_shared<net::TcpListener>(std::move(listener))};
  while (listeners.size() < contexts.size()) {
    Result<net::TcpListener> copy = listeners.front()->duplicate();
    if (!copy) return copy.error();
    listeners.push_back(std::make_shared<net::TcpListener>(std::move(*copy)));
  }
  const Result<void> accepting =
      accept_from(listeners, contexts, {.batch_responses = options.batch_responses});
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
    server::Acceptor(listener, drain_, accepting.hands_over, [this, batch](net::TcpStream stream) {
      serve(std::move(stream), batch);
    }).run();
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
void Server::Core::serve(net::TcpStream stream, bool batch_responses) {
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

void Server::Core::stop(Deadline deadline) {
  {
    std::scoped_lock lock(lock_);  // start() looks under it: all of its listeners are listed by now, or none
    ++stops_under_way_;
    drain_.begin(deadline);
  }
  drain_.announce();
  if (!drain_.keeps_idle()) let_idle_go();
  std::scoped_lock lock(lock_);
  --stops_under_way_;
}

// All may have ended while the thread that stops the server is still looking for more of it.
void Server::Core::wait_for_stops() {
  const auto under_way = [this] {
    std::scoped_lock lock(lock_);
    return stops_under_way_ > 0;
  };
  const CancelShield uncancelled;
  while (under_way()) [[maybe_unused]] const Result<void> slept = sleep(kStopLookup);
}

Result<void> Server::Core::wait() {
  Result<void> waited = join_acceptors();
  if (const Result<void> idle = wait_for_idle(); !idle) waited = idle;
  for (JoinHandle<void> connection = take_connection(); connection.joinable();
       connection = take_connection()) {
    if (const Result<void> joined = join(std::move(connection)); !joined) waited = joined;
  }
  wait_for_stops();
  return waited;
}

Result<void> Server::Core::join_acceptors() {
  Result<void> waited;
  for (JoinHandle<void> acceptor = take_acceptor(); acceptor.joinable(); acceptor = take_acceptor()) {
    const Result<void> joined = acceptor.join();
    if (joined) continue;
    waited = joined;
    stop(Deadline::at_ns(0));
    acceptor.join_uncancellable();
  }
  return waited;
}

// Idle connections may still have a request, until their grace is over. A connection that becomes idle later
// looks at the time itself.
Result<void> Server::Core::wait_for_idle() {
  if (!drain_.begun() || !drain_.keeps_idle()) return {};
  Result<void> waited;
  while (waited && counters().open_connections > 0) {
    const Deadline end = std::min(drain_.idle_until(), drain_.deadline());
    if (end.passed()) break;
    waited = sleep_until(std::min(end, Deadline::after(kDeadlineLookup)));
  }
  if (!waited) stop(Deadline::at_ns(0));
  let_idle_go();
  return waited;
}

// Waits for a connection; when the drain is over all of them are cancelled. An error: the calling fiber, or
// the scope around the call, has ended meanwhile.
Result<void> Server::Core::join(JoinHandle<void> handle) {
  WEFT_ASSERT(handle.id() != this_fiber::id(),
              "http::Server::wait() in a handler of the same server waits for itself",
              WEFT_VALUE(handle.id()));
  for (;;) {
    const Deadline deadline = drain_.deadline();
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

// In portions: whoever needs the lock waits for one of them. The list is turned once; who comes or goes
// meanwhile may make it a little more, and connections that come after the drain has begun look at it
// themselves. `after_portion` is called without the lock.
template <class Visit, class AfterPortion>
void Server::Core::for_each_connection(std::uint32_t portion, Visit&& visit, AfterPortion&& after_portion) {
  for (std::uint64_t left = counters().open_connections; left > 0;) {
    {
      std::scoped_lock lock(lock_);
      for (std::uint32_t i = 0; i < portion && left > 0; ++i, --left) {
        Connection* const connection = connections_.pop_front();
        if (connection == nullptr) {
          left = 0;
          break;
        }
        connections_.push_back(*connection);
        visit(*connection);
      }
    }
    after_portion();
  }
}

// The system calls are made without the lock, for a few connections at a time: one that has become busy
// meanwhile receives no more of its body than has arrived.
void Server::Core::let_idle_go() {
  std::array<weft::detail::DescriptorHandle, 32> idle;
  std::size_t count = 0;
  const auto collect = [&](const Connection& connection) {
    if (const auto stream = connection.idle_stream()) idle[count++] = stream;
  };
  const auto let_go = [&] {
    while (count > 0) Connection::let_go(idle[--count]);
  };
  for_each_connection(static_cast<std::uint32_t>(idle.size()), collect, let_go);
}

void Server::Core::cancel_connections() {
  for_each_connection(
      kPortion, [](Connection& connection) { connection.handle.cancel(); }, [] {});
}

JoinHandle<void> Server::Core::take_acceptor() {
  std::scoped_lock lock(lock_);
  if (acceptors_.empty()) return {};
  JoinHandle<void> handle = std::move(acceptors_.back());
  acceptors_.pop_back();
  return handle;
}

JoinHandle<void> Server::Core::take_connection() {
  weft::detail::DescriptorHandle idle;
  JoinHandle<void> handle;
  {
    std::scoped_lock lock(lock_);
    Connection* const connection = connections_.pop_front();
    if (connection == nullptr) return handle;
    // stop() may not have come to it yet, and does not find it any more.
    if (drain_.begun()) idle = connection->idle_stream();
    handle = std::move(connection->handle);
  }
  if (idle) Connection::let_go(idle);
  return handle;
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

Result<net::SocketAddress> Server::start(net::TcpListener listener, const ServeOptions& options) {
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
