// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/execution_context.hpp>
#include <weft/http/limits.hpp>
#include <weft/http/method.hpp>
#include <weft/http/request.hpp>
#include <weft/http/response.hpp>
#include <weft/net/address.hpp>
#include <weft/net/tcp_listener.hpp>
#include <weft/result.hpp>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

namespace weft::http {

/// What answers a request. It runs in a fiber of its connection and may suspend. If it throws, whatever that
/// is, the client is answered with 500, or, if the response had begun, its connection is closed; the
/// exception and the route are said on standard error, at most ten times at once and then once a second.
/// Its waits fail with Errc::cancelled when its client has reset the connection, or has closed it and the
/// request's body was read to its end (see Limits::half_close_cancels); fibers that
/// it has spawned outside of a group go on.
/// Called for different connections at the same time if their context is parallel.
using Handler = std::function<void(const Request&, Response&)>;

/// One or several execution contexts. None: the one of the caller's fiber.
class Contexts {
 public:
  Contexts() = default;
  Contexts(ExecutionContext* context) : contexts_{context} {}  // NOLINT(google-explicit-constructor)
  Contexts(std::initializer_list<ExecutionContext*> contexts) : contexts_(contexts) {}
  Contexts(std::vector<ExecutionContext*> contexts) : contexts_(std::move(contexts)) {}  // NOLINT

  const std::vector<ExecutionContext*>& list() const noexcept { return contexts_; }

 private:
  std::vector<ExecutionContext*> contexts_;
};

/// Where and how a server listens.
struct ServeOptions {
  /// Where connections are accepted and served. With several each gets a listener of its own on the same port
  /// (SO_REUSEPORT), and a connection stays in the context that accepted it. They must outlive the server.
  Contexts contexts = {};
  /// See net::ListenOptions.
  int backlog = 4096;
  /// Other servers, in this process or others, may listen at the same port with SO_REUSEPORT; connections are
  /// spread over all of them. So a new process can start before an old one ends. A server with this option
  /// that drains first makes the kernel begin no more connections with its sockets
  /// (TcpListener::stop_admitting()), and serves those under way for 200 ms: none is lost, a few are made a
  /// second later. For connections at an address; a listener that is given to start() says itself whether it
  /// shares.
  bool reuse_port = false;
  /// Small responses of connections that then wait for their next request are sent together, with one system
  /// call (io_uring), when the thread has nothing else to run; see
  /// net::TcpStream::write_then_read_some_until. False: each by itself, at once.
  bool batch_responses = true;
};

/// What a server has done so far.
struct ServerCounters {
  std::uint64_t connections = 0;       ///< accepted
  std::uint64_t open_connections = 0;  ///< of those, not ended yet
};

/// An HTTP/1.1 server: one fiber for each connection, keep-alive, pipelining, streaming both ways, limits on
/// by default.
///
/// Thread safety: routes are added before start(); stop() and counters() by any fiber or plain thread; the
/// rest by one fiber. Destruction: stops at once and waits for the handlers, which are cancelled.
///
///     weft::http::Server server;
///     server.get("/hello", [](const weft::http::Request&, weft::http::Response& response) {
///       response.text("Hello world!");
///     });
///     server.listen("0.0.0.0:8080").value();
class Server {
 public:
  explicit Server(const Limits& limits = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Serves `method` requests whose path matches `pattern`: "/", "/users/me", "/users/:id" (one segment),
  /// "/files/*path" (the rest). A literal segment wins over a parameter, that over the rest. GET serves HEAD
  /// too; OPTIONS, 404 and 405 are answered by the server. Throws std::invalid_argument if the pattern is
  /// malformed or taken, or the handler is empty. If it throws, nothing was added.
  Server& route(Method method, std::string_view pattern, Handler handler);
  Server& get(std::string_view pattern, Handler handler) {
    return route(Method::get, pattern, std::move(handler));
  }
  Server& post(std::string_view pattern, Handler handler) {
    return route(Method::post, pattern, std::move(handler));
  }
  Server& put(std::string_view pattern, Handler handler) {
    return route(Method::put, pattern, std::move(handler));
  }
  Server& del(std::string_view pattern, Handler handler) {
    return route(Method::del, pattern, std::move(handler));
  }
  Server& patch(std::string_view pattern, Handler handler) {
    return route(Method::patch, pattern, std::move(handler));
  }

  /// Listens at `address` ("127.0.0.1:8080", "[::1]:0", ":8080") and starts to serve: the bound address. May
  /// be called again for further addresses. Errors: Errc::invalid_address, Errc::closed after stop(), and
  /// those of TcpListener::bind. Throws std::bad_alloc. If it fails, nothing was served at that address and
  /// nobody listens there.
  ///
  /// Accepting ends by stop() only, or with its context. When descriptors or memory are used up, or the
  /// kernel refuses otherwise, the server says so (a burst, then once a second) and tries again after 5 to
  /// 100 ms.
  Result<net::SocketAddress> start(std::string_view address, const ServeOptions& options = {});
  /// The same with a listener that was made before, or adopted (TcpListener::adopt()): `backlog` and
  /// `reuse_port` do not matter. Two servers that have the same socket hand over without losing or delaying a
  /// connection. With several contexts each further one has a duplicate of it, and a connection wakes one
  /// thread of each that is idle: an address spreads them better. If it fails, `listener` is closed.
  Result<net::SocketAddress> start(net::TcpListener listener, const ServeOptions& options = {});

  /// Waits until stop() was called and the last connection has ended; of a server that was not started it
  /// returns at once. Suspends. If the calling fiber is cancelled (Errc::cancelled), or at the deadline of
  /// the scope around the call (Errc::timed_out), it stops the server at once, waits, and returns that error.
  Result<void> wait();

  /// start() and wait().
  Result<void> listen(std::string_view address, const ServeOptions& options = {});

  /// Drains. The connections that the kernel has made by now are accepted, then the listeners are closed. A
  /// new connection is served its first request (Limits::first_request_grace); idle ones are closed
  /// (Limits::idle_grace); the others end with their current response; handlers see it (Request::draining(),
  /// drain_token()). Requests that a client has sent behind its current one are not served. Those that are
  /// still there at the deadline are cancelled, and the queue is given up: by wait(), so have a fiber wait
  /// there while the server drains; idle connections with an `idle_grace` are closed by it, too.
  ///
  /// Waits for no fiber and does not suspend: it takes about a microsecond for each idle connection, and for
  /// each handler that waits for its drain_token(). When it returns the drain has begun, start() fails, and
  /// each response whose head is sent from then on says `Connection: close`; the listeners are closed by
  /// their own fibers, soon, unless their threads compute. wait() says that all has ended. A further call may
  /// bring the deadline forward. Any fiber or plain thread, while the server lives.
  void stop(Deadline deadline = Deadline::after(std::chrono::seconds(10)));

  ServerCounters counters() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace weft::http
