// SPDX-License-Identifier: Apache-2.0
// Registered only while somebody waits, for the directions that are waited for: add, wait, delete.
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "event_loop/registration/loop_pin.hpp"
#include "event_loop/registration/registration.hpp"

#include <mutex>

namespace weft {
namespace {

Edges awaited_locked(Descriptor& descriptor) noexcept {
  return {.read = !descriptor.waiters_of(Direction::kRead).empty(),
          .write = !descriptor.waiters_of(Direction::kWrite).empty(),
          .end = !descriptor.peer_watches.empty()};
}

/// A loop that has retired took the registration with it: settle_edges() finds that out under the lock.
Result<void> change(Descriptor& descriptor, LoopId owner, Edges now, Edges wanted) noexcept {
  const LoopPin loop(owner);
  if (!loop) return {};
  if (now.none()) return loop->watch(descriptor, wanted);
  if (!wanted.none()) return loop->watch_instead(descriptor, wanted);
  loop->forget(descriptor.fd);
  return {};
}

/// Nobody has it any more: all who wait register it themselves, or get errors of their own.
void become_unowned_locked(Descriptor& descriptor, WaitList& taken) noexcept {
  descriptor.ownership = Ownership::kUnowned;
  descriptor.owner = {};
  descriptor.edges = {};
  take_all_waiters_locked(descriptor, taken);
}

Result<void> give_up(Descriptor& descriptor, LoopId owner, const Result<void>& why) noexcept {
  WaitList taken;
  leave(descriptor, {Ownership::kAwaited, owner});
  {
    const std::scoped_lock lock(descriptor.lock);
    become_unowned_locked(descriptor, taken);
  }
  wake_taken(descriptor, taken, WaitOutcome::kRetry);
  return why;
}

/// True if nothing is left to do; else `wanted` is what the edges have to become.
bool settled(Descriptor& descriptor, Edges& wanted) noexcept {
  WaitList taken;
  {
    const std::scoped_lock lock(descriptor.lock);
    wanted = awaited_locked(descriptor);
    // Alive: then its retire() comes by later, and finds the descriptor its own (R3).
    if (!LoopRegistry::instance().alive(descriptor.owner) || (wanted.none() && descriptor.edges.none())) {
      become_unowned_locked(descriptor, taken);
    } else if (wanted == descriptor.edges) {
      descriptor.ownership = Ownership::kAwaited;
    } else {
      return false;
    }
  }
  wake_taken(descriptor, taken, WaitOutcome::kRetry);
  return true;
}

class PerWait final : public RegistrationPolicy {
 public:
  bool serves_locked(const Descriptor& descriptor, const PollingEventLoop& loop) const noexcept override {
    return descriptor.ownership == Ownership::kAwaited && descriptor.owner == loop.id();
  }

  Result<void> enter(Descriptor& descriptor, PollingEventLoop& loop) const noexcept override {
    Edges wanted;
    {
      const std::scoped_lock lock(descriptor.lock);
      wanted = descriptor.edges = awaited_locked(descriptor);
    }
    // None: an edge that the old registration brought, a deadline or a cancel request was faster.
    if (wanted.none()) return {};
    return loop.watch(descriptor, wanted);
  }

  Result<void> finish(Descriptor& descriptor, PollingEventLoop& loop) const noexcept override {
    {
      const std::scoped_lock lock(descriptor.lock);
      DescriptorArena::instance().set_owner_locked(descriptor, loop.id());
      descriptor.policy = this;
      ++descriptor.counters.registrations;
    }
    return settle_edges(descriptor);  // others may have come while it was entered
  }
};

constinit const PerWait per_wait;

}  // namespace

const RegistrationPolicy& per_wait_policy() noexcept { return per_wait; }

// Whoever comes or goes while a system call is made finds kInTransfer and leaves the rest to us: so look
// again after each, until the edges are those that are waited for. What a delete may lose is reported by the
// next add.
Result<void> settle_edges(Descriptor& descriptor) noexcept {
  for (Edges wanted; !settled(descriptor, wanted);) {
    const LoopId owner = descriptor.owner;  // the mover's own, as edges
    const Result<void> changed = change(descriptor, owner, descriptor.edges, wanted);
    if (!changed) return give_up(descriptor, owner, changed);
    const std::scoped_lock lock(descriptor.lock);
    descriptor.edges = wanted;
  }
  return {};
}

void settle_after_wait(Descriptor& descriptor) noexcept {
  {
    const std::scoped_lock lock(descriptor.lock);
    if (descriptor.ownership != Ownership::kAwaited || awaited_locked(descriptor) == descriptor.edges) return;
    descriptor.ownership = Ownership::kInTransfer;
  }
  // An error has sent the others to retry; who goes has no use for it.
  [[maybe_unused]] const Result<void> settled = settle_edges(descriptor);
}

}  // namespace weft
