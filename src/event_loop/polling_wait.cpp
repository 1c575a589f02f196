// SPDX-License-Identifier: Apache-2.0
// Waiting on a descriptor, and the transfer of its ownership (L7, P2; docs/design/descriptor.md).
#include "event_loop/descriptor_waiters.hpp"
#include "event_loop/loop_registry.hpp"
#include "event_loop/operation.hpp"
#include "event_loop/polling_event_loop.hpp"

#include <mutex>

namespace weft {
namespace {

std::uint64_t event_data(const Descriptor& descriptor) noexcept {
  return std::uint64_t{descriptor.usage.generation()} << 32 | descriptor.index;
}

}  // namespace

// Suspends until `direction` may be ready. Success: try again. REQUIRES: the caller is a user of the
// descriptor.
Result<void> PollingEventLoop::wait(Descriptor& descriptor, Direction direction, Deadline deadline) noexcept {
  Waiter& self = this_fiber_required("waiting on a descriptor");
  WaitNode node;
  bool moves = false;
  LoopId from;
  {
    std::scoped_lock lock(descriptor.lock);
    if (descriptor.usage.closing()) return Errc::closed;
    if (descriptor.readiness.load().ready(direction)) return {};  // an edge came after the attempt (L3)
    moves = begin_move_locked(descriptor, from);
    node.waiter = &self;
    node.ticket = self.begin(WaitWord::Cancellable::kYes, deadline.time_ns());
    add_waiter_locked(descriptor, direction, node);
  }
  Result<void> registered;
  if (moves) registered = take_over(descriptor, from);
  // Also after a failed registration: it has ended the wait, unless somebody was faster.
  const WaitOutcome outcome = self.wait();
  if (outcome == WaitOutcome::kReady) [[likely]]
    return {};
  if (!won_through_list(outcome)) {
    std::scoped_lock lock(descriptor.lock);
    remove_waiter_locked(descriptor, direction, node);
  }
  if (outcome == WaitOutcome::kRetry) return registered;
  return result_of_outcome(outcome);
}

// True if the caller must take the descriptor over from `from` (none: it is unowned) before it waits.
// Otherwise it waits through the owner, this loop or another: it is forwarded, as others wait or a move is
// under way (L7).
bool PollingEventLoop::begin_move_locked(Descriptor& descriptor, LoopId& from) noexcept {
  if (descriptor.ownership == Ownership::kMoving) return false;
  if (descriptor.ownership == Ownership::kOwned) {
    if (descriptor.owner == id_ || !descriptor.nobody_waits_locked()) return false;
    from = descriptor.owner;
  }
  descriptor.ownership = Ownership::kMoving;
  return true;
}

// MOVING -> OWNED: adds to this loop first, then deletes from the old one, so that no edge is lost in
// between; both without a lock (L10). The caller's node is queued already, so an edge from either side wakes
// it (P2).
Result<void> PollingEventLoop::take_over(Descriptor& descriptor, LoopId from) noexcept {
  LoopRegistry& registry = LoopRegistry::instance();
  PollingEventLoop* const old = registry.pin(from);  // null: unowned, or the old loop is retired (L15)
  const Result<void> added = add(descriptor.fd, event_data(descriptor));
  if (added && old != nullptr) old->remove(descriptor.fd);
  if (old != nullptr) registry.unpin(from);
  if (added) {
    finish_move(descriptor, from);
    return {};
  }
  counters_.failed_registrations.add();
  if (abandon_move(descriptor, from)) return {};
  return added.error();
}

void PollingEventLoop::finish_move(Descriptor& descriptor, LoopId from) noexcept {
  counters_.registrations.add();
  if (from) counters_.transfers.add();
  std::scoped_lock lock(descriptor.lock);
  descriptor.ownership = Ownership::kOwned;
  descriptor.owner = id_;
  ++descriptor.counters.registrations;
  if (from) ++descriptor.counters.transfers;
}

// The kernel refused. True: the old owner keeps the descriptor, and the wait goes through it (L10). False:
// nobody has it, and the wait must end.
bool PollingEventLoop::abandon_move(Descriptor& descriptor, LoopId from) noexcept {
  FiberQueue won;
  {
    std::scoped_lock lock(descriptor.lock);
    // Alive: then its retire() comes by later, and finds the descriptor its own.
    if (LoopRegistry::instance().alive(from)) {
      descriptor.ownership = Ownership::kOwned;
      descriptor.owner = from;
      return true;
    }
    descriptor.ownership = Ownership::kUnowned;
    descriptor.owner = {};
    // Those who queued up behind the move try to register it themselves, and get errors of their own.
    win_all_locked(descriptor, WaitOutcome::kRetry, won);
  }
  wake_all(won);
  return false;
}

}  // namespace weft
