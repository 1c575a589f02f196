// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whoever wants to know that the peer of a connection is gone (docs/design/peer-end.md): a fiber that waits
// for it, or a cancel scope that ends with it. A watch hangs on the descriptor, not on a loop: whichever loop
// brings the edge finds it.
//
// Thread safety: any thread. A watch is linked, unlinked and read under the descriptor's lock; whoever takes
// one off has its scope's lock before it gives the descriptor's back. Order of locks: descriptor, scope.

#include "base/intrusive_list.hpp"
#include "event_loop/descriptor/descriptor.hpp"
#include "fiber/fiber_queue.hpp"
#include "fiber/waiter.hpp"

#include <weft/deadline.hpp>
#include <weft/peer_end.hpp>
#include <weft/result.hpp>

namespace weft {

class CancelNode;

/// Has either a scope or a waiter.
struct PeerWatch : WaitNode {
  PeerEnd end = PeerEnd::kFinished;
  CancelNode* scope = nullptr;  ///< ends with kCancelled; else the waiter is woken with kReady
  /// Of a scope's: the loop that had the registration has retired, or has failed to take it over. Relaxed: a
  /// hint for the scope's fiber, which asks for a registration anew.
  Atomic<bool> lost{false};
};

/// Links the watch of a scope, and has the descriptor registered if it is not. True: the peer has ended, and
/// nothing was linked. Fails as a wait does, and with Errc::closed: nothing is linked then. By a fiber.
/// Suspends: no.
Result<bool> watch_peer(DescriptorHandle handle, PeerWatch& watch) noexcept;

/// Takes the watch off, if nobody did; from now on nobody looks at it. Suspends: no.
void unwatch_peer(DescriptorHandle handle, PeerWatch& watch) noexcept;

/// What a watch that is linked waits for becomes `end`. True: that has come already; the watch is off.
bool change_peer_watch(DescriptorHandle handle, PeerWatch& watch, PeerEnd end) noexcept;

/// Waits for the peer's end. A user of the descriptor meanwhile.
Result<void> wait_for_peer(DescriptorHandle handle, PeerEnd end, Deadline deadline) noexcept;

/// The kernel has said that the peer has finished, or is gone for good. By the poller, without a lock. True:
/// somebody was told. A generation that is over: nothing happens.
bool note_peer_end(Descriptor& descriptor, std::uint32_t generation, PeerEnd end) noexcept;

/// The file was closed: scopes that watch its peer end. By who closes it, a user still, without a lock.
void end_peer_scopes(Descriptor& descriptor) noexcept;

/// Takes the watches of fibers off, to be woken with those that wait for the file, and marks those of scopes
/// as lost.
void take_peer_waiters_locked(Descriptor& descriptor, WaitList& taken) noexcept;

}  // namespace weft
