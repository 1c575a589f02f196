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

/// A function that answers a request. It runs in the fiber of its connection and may suspend. If the context
/// is parallel, handlers of different connections run at the same time.
///
/// Exceptions: if the handler throws, the client gets 500. If the response has begun, its connection is
/// closed. The server writes the exception and the route to standard error, ten at once and then one a second
/// at most.
///
/// Cancellation: its waits fail with Errc::cancelled when the client has reset the connection, or has closed
/// it and the request's body was read to its end (see Limits::half_close_cancels). Fibers that it has spawned
/// outside of a group continue.
using Handler = std::function<void(const Request&, Response&)>;

/// One or several execution contexts. If empty, the context of the caller's fiber.
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
  /// The contexts in which connections are accepted and served. With several contexts, each one has a
  /// listener of its own on the same port (SO_REUSEPORT), and a connection stays in the context that has
  /// accepted it. The contexts must outlive the server.
  Contexts contexts = {};
  /// See net::ListenOptions.
  int backlog = 4096;
  /// SO_REUSEPORT: other servers, in this process or in others, may listen at the same port. The kernel
  /// spreads the connections over them, so that a new process can start before an old one ends. When a server
  /// with this option drains, it first stops new connections from reaching its sockets
  /// (TcpListener::stop_admitting()), and serves the connections that have begun for 200 ms. No connection is
  /// lost; a few are made a second later. The option applies to addresses; a listener that is passed to
  /// start() has its own setting.
  bool reuse_port = false;
  /// True: when the thread has nothing else to run, one system call (io_uring) sends the small responses of
  /// several connections that wait for their next request; see net::TcpStream::write_then_read_some_until.
  /// False: each response is sent at once.
  bool batch_responses = true;
};

/// Counts for one server.
struct ServerCounters {
  std::uint64_t connections = 0;       ///< connections accepted
  std::uint64_t open_connections = 0;  ///< of those, connections that have not ended
};

/// An HTTP/1.1 server: one fiber for each connection, keep-alive, pipelining, streaming both ways, limits on
/// by default.
///
/// Thread safety: add routes before start(). Any fiber or plain thread may call stop() and counters(). One
/// fiber at a time may call the other methods. Destruction: stops at once, cancels the handlers, and waits
/// for them.
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

  /// Adds a handler for `method` requests whose path matches `pattern`: "/", "/users/me", "/users/:id" (one
  /// segment), "/files/*path" (the rest of the path). A literal segment has precedence over a parameter, and
  /// a parameter over the rest. A GET handler also serves HEAD. The server answers OPTIONS, 404 and 405
  /// itself. Throws std::invalid_argument if the pattern is malformed or taken, or the handler is empty; then
  /// nothing was added.
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

  /// Listens at `address` ("127.0.0.1:8080", "[::1]:0", ":8080", "localhost:8080"), starts to serve, and
  /// returns the bound address. Of a name the first address is used, IPv4 before IPv6, as TcpListener::bind()
  /// does; the call then suspends. May be called again for further addresses. Errors: Errc::invalid_address,
  /// Errc::closed after stop(), and those of TcpListener::bind. Throws std::bad_alloc. If it fails, no
  /// request was served at that address, and no socket listens there.
  ///
  /// The server accepts until stop(), or until its context shuts down. If descriptors or memory are used up,
  /// or the kernel refuses for another reason, the server writes messages to standard error (a burst, then
  /// one a second) and tries again after 5 to 100 ms.
  Result<net::SocketAddress> start(std::string_view address, const ServeOptions& options = {});
  /// The same with a listener that was made or adopted before (TcpListener::adopt()). `backlog` and
  /// `reuse_port` are ignored. Two servers with the same socket hand over without losing or delaying a
  /// connection. With several contexts, each further one gets a duplicate of the listener, and a connection
  /// wakes an idle thread of each context; an address spreads connections better. If it fails, `listener` is
  /// closed.
  Result<net::SocketAddress> start(net::TcpListener listener, const ServeOptions& options = {});
  /// The same with a listener of any kind: a net::UnixListener, or a type of your own. With several contexts
  /// it must be one that can be duplicated (Errc::unsupported otherwise). Errc::closed: it is none, or
  /// closed.
  ///
  ///     auto listener = weft::net::UnixListener::bind("/run/app.sock").value();
  ///     server.start(std::make_unique<weft::net::UnixListener>(std::move(listener))).value();
  Result<void> start(std::unique_ptr<net::Listener> listener, const ServeOptions& options = {});

  /// Waits until stop() was called and the last connection has ended. Returns at once if the server was not
  /// started. Suspends. If the calling fiber is cancelled (Errc::cancelled), or at the deadline of the
  /// enclosing scope (Errc::timed_out), it stops the server at once, waits, and returns that error. With
  /// Limits::cancel_grace it drains the server first.
  Result<void> wait();

  /// Calls start() and then wait().
  Result<void> listen(std::string_view address, const ServeOptions& options = {});

  /// Drains the server:
  ///
  /// - Connections that the kernel has made by now are accepted; then the listeners are closed.
  /// - A new connection gets its first request served (Limits::first_request_grace).
  /// - Idle connections are closed (Limits::idle_grace).
  /// - Other connections end with their current response. Their handlers can see the drain
  ///   (Request::draining(), drain_token()). Further pipelined requests are not served.
  /// - At the deadline the connections that are left are cancelled, and the queue is dropped.
  ///
  /// wait() enforces the deadline and `idle_grace`, so let a fiber wait there while the server drains.
  ///
  /// The call waits for no fiber and does not suspend. It takes about a microsecond for each idle connection
  /// and for each handler that waits for its drain_token(). When it returns, the drain has begun: start()
  /// fails, and each response whose head is sent from then on says `Connection: close`. The fibers of the
  /// listeners close them soon after, unless other fibers keep their threads. wait() returns when everything
  /// has ended. A further call may set an earlier deadline. Any fiber or plain thread may call it while the
  /// server lives.
  void stop(Deadline deadline = Deadline::after(std::chrono::seconds(10)));

  ServerCounters counters() const;

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

}  // namespace weft::http
