// SPDX-License-Identifier: Apache-2.0
#pragma once

// weft's record for one open file (docs/design/descriptor.md). Records are type-stable: they come from an
// arena, are never freed, and stand for another file after the generation was counted up. So any thread may
// look at one at any time: the kernel's late events and stale handles find the wrong generation, and go away
// (L8, L9).
//
// Thread safety: `usage` and `readiness` are atomic words with protocols of their own; `fd`, `kind` are fixed
// while the record is open, and read only by its users; the rest is guarded by `lock`. The order of locks is
// descriptor, timers, queue; no syscall is made under any of them (L10).

#include "base/cache_line.hpp"
#include "base/spin_lock.hpp"
#include "event_loop/descriptor/readiness.hpp"
#include "event_loop/descriptor/usage_word.hpp"
#include "event_loop/migration/migration_watch.hpp"
#include "event_loop/registration/edges.hpp"
#include "event_loop/registration/loop_id.hpp"
#include "fiber/waiter.hpp"

#include <weft/counters.hpp>
#include <weft/detail/descriptor_handle.hpp>
#include <weft/peer_end.hpp>

#include <cstdint>

namespace weft {

/// What decides how a descriptor is read.
enum class DescriptorKind : std::uint8_t {
  kStream,     ///< a TCP connection: a short count proves that it is drained (L2)
  kSocket,     ///< another socket that moves bytes: one of Unix stops at passed files
  kListener,   ///< a listening socket
  kOther,      ///< anything else that can be polled: a pipe, a terminal
  kSimulated,  ///< lives in a simulated world, no fd
};

constexpr bool is_socket(DescriptorKind kind) noexcept { return kind <= DescriptorKind::kListener; }

/// Who has a descriptor registered (P2).
enum class Ownership : std::uint8_t {
  kUnowned,     ///< registered nowhere; `owner` is none
  kOwned,       ///< registered with `owner`, for all edges and for its lifetime
  kAwaited,     ///< registered with `owner` for `edges`, which somebody waits for
  kBroadcast,   ///< registered in every broadcast loop born up to `broadcast_seen`; `owner` is none
  kInTransfer,  ///< a user of it is changing its registration; `owner` is the loop it leaves, or none
};

class DescriptorBackend;
class RegistrationPolicy;
struct PeerWatch;
struct PutOffWrite;

/// What is known of the peer of a connection; each is for good.
struct PeerState {
  bool finished = false;       ///< it sends no more
  bool gone = false;           ///< a reset or an error, or nobody sends any more
  bool reading_ended = false;  ///< by ourselves: what would be the peer's end may be that

  bool has_ended(PeerEnd end) const noexcept { return gone || (end == PeerEnd::kFinished && finished); }
};

struct alignas(kCacheLine) Descriptor {
  // -- the line that every operation touches ---------------------------------------------------------------
  UsageWord usage;
  Readiness readiness;
  int fd = -1;
  std::uint32_t index = 0;  ///< its place in the arena, for good
  DescriptorKind kind = DescriptorKind::kOther;
  /// Somebody waits for this direction. Written under the lock; a relaxed reader that misses a waiter came
  /// before the waiter looked at the readiness, see pass_turn().
  Atomic<bool> awaited[2] = {};
  /// The node that was queued last, perhaps long gone: only good to be prefetched.
  Atomic<const WaitNode*> last_node{nullptr};

  // -- guarded by lock --------------------------------------------------------------------------------------
  alignas(kCacheLine) SpinLock lock;
  Ownership ownership = Ownership::kUnowned;
  LoopId owner;
  WaitList waiters[2];                         ///< by Direction
  const RegistrationPolicy* policy = nullptr;  ///< how it was registered last (docs/design/strategies.md)
  std::uint64_t broadcast_seen = 0;
  Edges edges;
  PeerState peer;
  IntrusiveList<PeerWatch> peer_watches;  ///< who wants to know of the peer's end (peer_watch.hpp)
  WaitList writers;                       ///< who waits for the turn to write (write_turn.hpp)
  PutOffWrite* put_off = nullptr;         ///< in `waiters`: who has the turn, and has put its write off
  WaitNode* closer = nullptr;             ///< who called close() and waits until the number was given back
  DescriptorCounters counters;
  MigrationWatch migration;
  /// What stands behind it in a simulated world, fixed while open; null: the kernel's file.
  DescriptorBackend* backend = nullptr;
  Descriptor* next_vacant = nullptr;  ///< guarded by the arena's lock
  /// An inherited file: the fork_count of the process whose fibers use it. Written under the lock.
  Atomic<std::uint32_t> adopted_by{0};

  WaitList& waiters_of(Direction direction) noexcept { return waiters[static_cast<int>(direction)]; }
  bool nobody_waits_locked() noexcept { return waiters[0].empty() && waiters[1].empty(); }
};

using detail::DescriptorHandle;

}  // namespace weft
