// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/peer_scope_core.hpp>
#include <weft/net/stream.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

namespace weft::net {

/// A cancel scope that ends when the peer of a stream is gone, so that work for that peer stops.
///
///     weft::net::PeerScope scope(stream);
///     auto rows = query(database);   // Errc::cancelled soon after the client has hung up
///
/// It works like CancelScope: once it has ended, every cancellable wait in it fails with Errc::cancelled.
/// That includes reads and writes of the stream itself, and the waits of groups made in the scope. A call
/// that does not have to wait may still succeed. The scope also ends when the stream is closed on this side.
///
/// The scope reads nothing. It notices the end of the peer even if unread bytes come before it. A peer that
/// only shuts down its sending side looks like a peer that has closed. Use PeerEnd::kReset if such a peer
/// still wants the work's result.
///
/// The connection is watched from the first wait in the scope on. A scope without a wait costs no system
/// call. A scope with a wait costs one system call if no fiber has waited on the stream before. If the stream
/// is registered with the event loop of a context that shuts down while the fiber waits in another context,
/// the fiber notices the peer's end at its next wait.
///
/// A stream of your own type has no descriptor to watch: its scope does not end by itself.
///
/// Thread safety: only the fiber that made the scope uses it, and destroys it in the reverse order of scopes;
/// otherwise BUG. Any fiber may close the stream meanwhile. The stream must not be destroyed or moved from
/// before the scope ends.
class PeerScope {
 public:
  explicit PeerScope(const Stream& stream, PeerEnd end = PeerEnd::kFinished) noexcept
      : core_(weft::detail::StreamAccess::handle(stream), end) {
    core_.enter();
  }
  ~PeerScope() {
    core_.require_own_fiber();
    core_.leave();
  }
  PeerScope(const PeerScope&) = delete;
  PeerScope& operator=(const PeerScope&) = delete;

  /// Success while the scope has not ended. Errc::cancelled once it has, or Errc::timed_out if the deadline
  /// of an enclosing scope ended it.
  Result<void> status() noexcept { return core_.status(); }

 private:
  weft::detail::PeerScopeCore core_;
};

}  // namespace weft::net
