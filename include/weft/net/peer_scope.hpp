// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/peer_scope_core.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

namespace weft::net {

/// A cancel scope that ends when the peer of a stream is gone, so that work for that peer stops.
///
///     weft::net::PeerScope scope(stream);
///     auto rows = query(database);   // Errc::cancelled soon after the client has hung up
///
/// Works as CancelScope does: once it has ended, every cancellable wait in it fails with Errc::cancelled.
/// That includes reads and writes of the stream itself, and the waits of groups made in the scope. A call
/// that need not wait may still succeed. The scope also ends when the stream is closed on this side.
///
/// The scope reads nothing. It notices the end of the peer although there are unread bytes before it. A peer
/// that only shuts down its sending side looks like one that has closed; use PeerEnd::kReset if that is no
/// end.
///
/// The connection is watched from the first wait in the scope on. A scope without a wait costs no system
/// call; one with a wait costs one, if the stream was never waited on. If a context ends whose event loop has
/// the stream registered, while the fiber waits in another context, the fiber notices the end at its next
/// wait.
///
/// Thread safety: its fiber. Destroyed in the reverse order of scopes, by the fiber that made it (BUG). Its
/// stream may be closed meanwhile, and by anybody; it must not be destroyed or moved from before the scope.
class PeerScope {
 public:
  explicit PeerScope(const TcpStream& stream, PeerEnd end = PeerEnd::kFinished) noexcept
      : core_(stream.descriptor(), end) {
    core_.enter();
  }
  ~PeerScope() {
    core_.require_own_fiber();
    core_.leave();
  }
  PeerScope(const PeerScope&) = delete;
  PeerScope& operator=(const PeerScope&) = delete;

  /// Success while it is open; else Errc::cancelled, or Errc::timed_out at the deadline of a scope around it.
  Result<void> status() noexcept { return core_.status(); }

 private:
  detail::PeerScopeCore core_;
};

}  // namespace weft::net
