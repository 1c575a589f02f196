// SPDX-License-Identifier: Apache-2.0
// How a server ends: stop(), which waits for nobody, and wait().
#include "base/panic.hpp"
#include "base/portion.hpp"
#include "http/server/core.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace weft::http {

using server::Connection;

namespace {

/// While a drain lasts, how often its deadline is looked up: stop() may have been called again with an
/// earlier one.
constexpr std::chrono::milliseconds kDeadlineLookup{50};
/// After all has ended, how often a stop() that has not returned is looked for: it takes microseconds.
constexpr std::chrono::milliseconds kStopLookup{1};

}  // namespace

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
  require_no_handler();
  Result<void> waited = join_acceptors();
  // Cancelled while it accepted: from here on the drain's own deadline ends it, not what is cancelled.
  std::optional<CancelShield> drains;
  if (!waited && limits_.cancel_grace_ns > 0) drains.emplace();
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
    stop(limits_.cancel_grace_ns > 0 ? Deadline::after_ns(limits_.cancel_grace_ns) : Deadline::at_ns(0));
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

// wait() needs a fiber only if there is something to wait for.
void Server::Core::require_no_handler() {
  if (counters().open_connections == 0) return;
  const std::uint64_t waiting = this_fiber::id();
  const auto look = [waiting](const Connection& connection) {
    WEFT_ASSERT(connection.handle.id() != waiting,
                "http::Server::wait() in a handler of the same server waits for itself", WEFT_VALUE(waiting));
  };
  for_each_connection(kPortion, look, [] {});
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

}  // namespace weft::http
