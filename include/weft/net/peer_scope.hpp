// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/detail/peer_scope_core.hpp>
#include <weft/net/tcp_stream.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

namespace weft::net {

/// A cancel scope that ends when the peer of a stream is gone: whoever works for it stops.
///
///     weft::net::PeerScope scope(stream);
///     auto rows = query(database);   // Errc::cancelled soon after the client has hung up
///
/// As CancelScope: every cancellable wait in it, of its fiber and of groups made in it, fails with
/// Errc::cancelled once it has ended, reads and writes of the stream itself, too; what need not wait may
/// still succeed for a while. It also ends when the stream is closed on this side. Nothing is read: what the
/// peer has sent stays where it is, and its end is noticed with unread bytes before it. A peer that only
/// shuts down its sending side looks like one that has closed; PeerEnd::kReset leaves it alone.
///
/// The connection is looked at from the first wait in the scope on: a scope in which nobody waits costs no
/// system call, one that waits costs one if the stream was never waited on. If the context whose event loop
/// has the stream registered ends while the fiber waits in another one, the end is noticed from its next wait
/// on.
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
