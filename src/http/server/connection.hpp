// SPDX-License-Identifier: Apache-2.0
#pragma once

// One client: its requests, one after the other, in one fiber (docs/design/http-server.md).
//
// Thread safety: the connection's fiber; idle_stream() by any fiber, while the connection is registered with
// its server.

#include "base/atomic.hpp"
#include "base/intrusive_list.hpp"
#include "http/server/drain.hpp"
#include "http/server/exchange.hpp"

#include <weft/join_handle.hpp>
#include <weft/net/stream.hpp>

#include <memory>

namespace weft::http::server {

/// What connections share and their server owns.
struct Shared {
  const Routes& routes;
  const ServerLimits& limits;
  const Drain& drain;
};

class Connection final : public ListNode<>, private BufferSource {
 public:
  Connection(std::unique_ptr<net::Stream> stream, const Shared& shared, bool batches_responses) noexcept
      : stream_(std::move(stream)), shared_(shared), batches_responses_(batches_responses) {}

  /// Serves until the client leaves, misbehaves, is too slow, or the server drains.
  void run();

  /// What let_go() wants, also when this object is gone. Empty: a request is under way, and its end notices
  /// the drain by itself; or the stream is of the user's own, without a descriptor, and was let go at once.
  weft::detail::DescriptorHandle idle_stream() const noexcept;
  /// Ends the wait of a client that has no request under way.
  static void let_go(weft::detail::DescriptorHandle idle_stream);

  /// After run(): gives the socket back, while the server still waits for this connection.
  void close();

  JoinHandle<void> handle;  ///< guarded by the server's lock

 private:
  enum class Head { kComplete, kClose, kLinger };
  using HeadStatus = protocol::HeadStatus;

  /// What an exchange leaves behind.
  struct LastResponse {
    std::int64_t sent_ns;
    std::string_view unsent = {};  ///< in the block
  };

  bool receive_opening(const LastResponse& accepted);
  bool receive_first(const LastResponse& last);
  [[gnu::cold]] bool may_stay_idle(const LastResponse& last);
  AfterExchange exchange(LastResponse& last, detail::PeerScopeCore& client);
  [[gnu::cold]] bool wait_on(std::error_code error, const LastResponse& last);
  bool stay_idle(const LastResponse& last);
  bool received_first(std::size_t n) noexcept;
  bool send(const LastResponse& last);
  Head receive_head();
  [[gnu::cold]] Head refuse(const protocol::Refusal& refusal);
  [[gnu::cold]] void linger();
  std::span<std::byte> take() override;
  void give_back() noexcept override {
    if (lease_.held()) lease_.give_back();
  }

  const std::unique_ptr<net::Stream> stream_;
  const Shared& shared_;
  const bool batches_responses_;
  BlockLease lease_;
  // seq_cst on both sides: the connection says that it is idle, then looks whether the server drains; the
  // server says that it drains, then looks who is idle (store buffering). One of the two acts.
  Atomic<bool> idle_{false};
};

}  // namespace weft::http::server
