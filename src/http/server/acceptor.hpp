// SPDX-License-Identifier: Apache-2.0
#pragma once

// Takes the connections of one listener, in a fiber of its own, until the server drains; then those that the
// kernel has made already, and closes the listener (docs/design/http-server.md, "Drain").
//
// Thread safety: its fiber.

#include "http/server/drain.hpp"

#include <weft/net/listener.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace weft::http::server {

class Acceptor {
 public:
  /// `serve` takes a connection over; it may throw. `hands_over`: another socket of the port may take what
  /// this one does not.
  Acceptor(std::shared_ptr<net::Listener> listener, const Drain& drain, bool hands_over,
           std::function<void(std::unique_ptr<net::Stream>)> serve)
      : listener_(std::move(listener)), drain_(drain), hands_over_(hands_over), serve_(std::move(serve)) {}

  /// Returns when the listener is closed: the server has drained, or the fiber was cancelled.
  void run();

 private:
  enum class Accepted { kServed, kShortage, kNoMore };

  void accept_until_drained();
  void empty_queue();
  void accept_begun();
  template <class Accept>
  Accepted serve_next(Accept&& accept);

  const std::shared_ptr<net::Listener> listener_;
  const Drain& drain_;
  const bool hands_over_;
  const std::function<void(std::unique_ptr<net::Stream>)> serve_;
};

}  // namespace weft::http::server
