// SPDX-License-Identifier: Apache-2.0
// Where a descriptor is registered, and the transfer of its ownership (L7, P2; docs/design/descriptor.md).
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/descriptor/peer_watch.hpp"
#include "event_loop/migration/migration_note.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "event_loop/registration/registration.hpp"

#include <mutex>

namespace weft {
namespace {

std::uint64_t event_data(const Descriptor& descriptor) noexcept {
  return std::uint64_t{descriptor.usage.generation()} << 32 | descriptor.index;
}

}  // namespace

// Moves the descriptor to this loop if nobody else waits, and the policy says so. Otherwise it waits through
// the registration that there is: it is forwarded (L7).
WaitPlan PollingEventLoop::plan_wait_slow_locked(Descriptor& descriptor, Direction direction) noexcept {
  if (arena_.inherited(descriptor)) [[unlikely]]
    adopt_inherited_locked(descriptor);
  if (descriptor.ownership == Ownership::kInTransfer) return {.step = WaitPlan::Step::kSettle};
  const Registered from{descriptor.ownership, descriptor.owner};
  const bool transfers = from.state == Ownership::kUnowned ||
                         (descriptor.nobody_waits_locked() && !policy_.serves_locked(descriptor, *this));
  if (!transfers && from.state != Ownership::kAwaited) return {};
  if (!transfers && descriptor.edges.has(direction)) return {.step = WaitPlan::Step::kSettle};
  descriptor.ownership = Ownership::kInTransfer;
  return {.step = transfers ? WaitPlan::Step::kTransfer : WaitPlan::Step::kAdjust, .from = from};
}

// A watch takes nothing over from a loop that is alive: whichever has the descriptor finds it.
WaitPlan PollingEventLoop::plan_watch_locked(Descriptor& descriptor) noexcept {
  if (arena_.inherited(descriptor)) [[unlikely]]
    adopt_inherited_locked(descriptor);
  const Registered from{descriptor.ownership, descriptor.owner};
  const bool transfers = from.state == Ownership::kUnowned;
  if (!transfers && (from.state != Ownership::kAwaited || descriptor.edges.end)) return {};
  descriptor.ownership = Ownership::kInTransfer;
  return {.step = transfers ? WaitPlan::Step::kTransfer : WaitPlan::Step::kAdjust, .from = from};
}

// This process is a child of fork(), run() was called in it, and the file is an older one: to the kernel it
// is new here. Whoever waits for it does so in the parent, and would never leave.
[[gnu::cold, gnu::noinline]] void PollingEventLoop::adopt_inherited_locked(Descriptor& descriptor) noexcept {
  if (inherited_) return;  // add() says what is wrong
  WEFT_ASSERT(descriptor.nobody_waits_locked() && descriptor.ownership != Ownership::kInTransfer,
              "a child of fork() waits for a socket that a fiber of its parent was waiting for at the time",
              WEFT_VALUE(descriptor.fd));
  descriptor.ownership = Ownership::kUnowned;
  descriptor.owner = {};
  descriptor.policy = nullptr;
  descriptor.edges = {};
  while (descriptor.peer_watches.pop_front() != nullptr) {}  // the parent's
  descriptor.adopted_by.store(fork_count, relaxed);
}

Result<void> PollingEventLoop::carry_out(Descriptor& descriptor, const WaitPlan& plan) noexcept {
  if (plan.step == WaitPlan::Step::kTransfer) return transfer(descriptor, plan.from);
  if (plan.step == WaitPlan::Step::kAdjust) return settle_edges(descriptor);
  return {};
}

// Enters by this loop's policy first, then leaves the old one, so that no edge is lost in between; both
// without a lock (L10). The caller's node is queued already, so an edge from either side wakes it (P2).
Result<void> PollingEventLoop::transfer(Descriptor& descriptor, const Registered& from) noexcept {
  if (const Result<void> entered = policy_.enter(descriptor, *this); !entered) {
    counters_.failed_registrations.add();
    if (abandon_move(descriptor, from)) return {};
    return entered;
  }
  if (from.state != Ownership::kUnowned && !policy_.keeps(from)) {
    leave(descriptor, from);
    counters_.transfers.add();
    const MigrationWatch::Step step = count_transfer(descriptor);
    if (step != MigrationWatch::Step::kNothing) [[unlikely]]
      note_transfer(descriptor, step, from, home());
  }
  return policy_.finish(descriptor, *this);
}

// The kernel refused. True: the old registration stays, and the wait goes through it (L10, R4). False: nobody
// has the descriptor, and the wait must end.
bool PollingEventLoop::abandon_move(Descriptor& descriptor, const Registered& from) noexcept {
  {
    std::scoped_lock lock(descriptor.lock);
    // Alive: then its retire() comes by later, and finds the descriptor its own.
    if (alive_locked(descriptor, from)) {
      descriptor.ownership = from.state;
      descriptor.owner = from.owner;
      return true;
    }
  }
  leave(descriptor, from);
  WaitList taken;
  {
    std::scoped_lock lock(descriptor.lock);
    descriptor.ownership = Ownership::kUnowned;
    descriptor.owner = {};
    descriptor.policy = nullptr;
    descriptor.edges = {};
    // Those who queued up behind the transfer try to register it themselves, and get errors of their own.
    take_all_waiters_locked(descriptor, taken);
  }
  wake_taken(descriptor, taken, WaitOutcome::kRetry);
  return false;
}

// If it fails, the first wait tries again, and its error is the caller's.
void PollingEventLoop::opened(Descriptor& descriptor) noexcept {
  if (!policy_.at_open()) return;
  if (const Result<void> entered = policy_.enter(descriptor, *this); !entered) {
    counters_.failed_registrations.add();
  } else {
    [[maybe_unused]] const Result<void> finished = policy_.finish(descriptor, *this);
  }
}

Result<void> PollingEventLoop::watch(const Descriptor& descriptor, Edges edges) noexcept {
  const Result<void> added = add(descriptor.fd, event_data(descriptor), edges);
  if (added) counters_.registrations.add();
  return added;
}

Result<void> PollingEventLoop::watch_instead(const Descriptor& descriptor, Edges edges) noexcept {
  counters_.modifications.add();
  return modify(descriptor.fd, event_data(descriptor), edges);
}

void PollingEventLoop::forget(int fd) noexcept {
  counters_.deletions.add();
  remove(fd);
}

}  // namespace weft
