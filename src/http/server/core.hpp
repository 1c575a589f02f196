// SPDX-License-Identifier: Apache-2.0
#pragma once

// A server's connections and whoever accepts them (docs/design/http-server.md). Starting and serving is
// core.cpp, stopping and waiting for the end core_end.cpp.

#include "base/intrusive_list.hpp"
#include "http/server/connection.hpp"
#include "http/server/connection_cap.hpp"
#include "http/server/drain.hpp"
#include "http/server/routes.hpp"

#include <weft/http/server.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace weft::http {

// Thread safety: `lock_` guards what several fibers use. It is a std::mutex that is never held over a
// suspension.
class Server::Core {
 public:
  explicit Core(const Limits& limits)
      : limits_(limits), cap_(limits.connections_max), drain_(limits_.idle_grace_ns) {}

  server::Routes routes;

  Result<net::SocketAddress> start(std::string_view address, const ServeOptions& options);
  Result<net::SocketAddress> start(net::TcpListener listener, const ServeOptions& options);
  Result<void> start(std::unique_ptr<net::Listener> listener, const ServeOptions& options);
  Result<void> wait();
  void stop(Deadline deadline);
  ServerCounters counters();

 private:
  using Listener = std::shared_ptr<net::Listener>;
  struct Accepting {
    bool batch_responses;
    bool hands_over = false;  ///< see server::Acceptor
  };

  Result<void> accept_from(const std::vector<Listener>& listeners,
                           const std::vector<ExecutionContext*>& contexts, Accepting accepting);
  JoinHandle<void> spawn_acceptor(const Listener& listener, ExecutionContext* context, Accepting accepting);
  bool may_accept(const Listener& listener);
  void serve(std::unique_ptr<net::Stream> stream, bool batch_responses);
  static void run(server::Connection& connection);
  void end(server::Connection& connection);
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
  void require_no_handler();

  const server::ServerLimits limits_;
  server::ConnectionCap cap_;
  server::Drain drain_;
  const server::Shared shared_{routes, limits_, drain_};

  std::mutex lock_;
  std::vector<Listener> listeners_;  // of acceptors that may accept
  std::vector<JoinHandle<void>> acceptors_;
  IntrusiveList<server::Connection> connections_;
  ServerCounters counters_;
  std::uint32_t stops_under_way_ = 0;
};

}  // namespace weft::http
