// SPDX-License-Identifier: Apache-2.0
#include "event_loop/descriptor/peer_watch.hpp"

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/event_loop.hpp"
#include "event_loop/operation/operate.hpp"
#include "event_loop/registration/registration.hpp"
#include "fiber/cancel_node.hpp"
#include "fiber/outcome_error.hpp"

#include <mutex>

namespace weft {
namespace {

PeerWatch* take_first_locked(Descriptor& descriptor) noexcept {
  PeerWatch* const first = descriptor.peer_watches.find(
      [&](const PeerWatch& watch) { return descriptor.peer.has_ended(watch.end); });
  if (first != nullptr) descriptor.peer_watches.remove(*first);
  return first;
}

void note_locked(Descriptor& descriptor, PeerEnd end) noexcept {
  PeerState& peer = descriptor.peer;
  if (end == PeerEnd::kReset) peer.gone = true;
  if (!peer.reading_ended) peer.finished = true;
}

/// Tells whoever the watch is of, which was taken off under `lock`, and gives that back. The scope's lock is
/// taken before: whoever leaves the scope finds no watch any more, and then waits for that lock (E1).
void tell_and_unlock(PeerWatch& watch, std::unique_lock<SpinLock>& lock) noexcept {
  if (CancelNode* const scope = watch.scope) {
    scope->lock().lock();
    lock.unlock();
    return CancelSweep(WaitOutcome::kCancelled).run_and_unlock(*scope);
  }
  Waiter* const waiter = watch.waiter;
  const bool won = waiter->word.try_win(watch.ticket, WaitOutcome::kReady);
  lock.unlock();
  if (won) waiter->wake();
}

struct Linked {
  Result<bool> ended = false;
  WaitPlan plan;
};

/// `link()` is called if the peer is still there.
template <class Link>
Linked link_locked(Registrar& loop, Descriptor& descriptor, PeerWatch& watch, Link&& link) noexcept {
  if (descriptor.usage.closing()) return {.ended = Errc::closed, .plan = {}};
  const WaitPlan plan = loop.plan_watch_locked(descriptor);
  link();
  descriptor.peer_watches.push_back(watch);
  return {.ended = false, .plan = plan};
}

}  // namespace

Result<bool> watch_peer(DescriptorHandle handle, PeerWatch& watch) noexcept {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  if (!same_world(*this_runner(), *descriptor)) return Errc::unsupported;
  EventLoop& loop = *this_runner()->event_loop;
  Linked linked;
  {
    const std::scoped_lock lock(descriptor->lock);
    if (watch.linked()) descriptor->peer_watches.remove(watch);  // it was lost
    if (descriptor->peer.has_ended(watch.end)) return true;
    watch.lost.store(false, relaxed);
    linked = link_locked(loop, *descriptor, watch, [] {});
  }
  if (!linked.ended || linked.plan.step == WaitPlan::Step::kNothing) return linked.ended;
  const Result<void> registered = loop.carry_out(*descriptor, linked.plan);
  if (registered) return false;
  unwatch_peer(handle, watch);
  return registered.error();
}

void unwatch_peer(DescriptorHandle handle, PeerWatch& watch) noexcept {
  Descriptor* const record = handle.descriptor;
  if (record == nullptr) return;
  {
    const std::scoped_lock lock(record->lock);
    // Not linked: it was told, or the file was closed, and the record may be another one's.
    if (watch.linked()) record->peer_watches.remove(watch);
  }
  if (DescriptorUse descriptor(handle); descriptor) settle_after_wait(*descriptor);
}

bool change_peer_watch(DescriptorHandle handle, PeerWatch& watch, PeerEnd end) noexcept {
  const std::scoped_lock lock(handle.descriptor->lock);
  watch.end = end;
  if (!watch.linked() || !handle.descriptor->peer.has_ended(end)) return false;
  handle.descriptor->peer_watches.remove(watch);
  return true;
}

Result<void> wait_for_peer(DescriptorHandle handle, PeerEnd end, Deadline deadline) noexcept {
  DescriptorUse descriptor(handle);
  if (!descriptor) return Errc::closed;
  if (!same_world(*this_runner(), *descriptor)) return Errc::unsupported;
  Waiter& self = this_fiber_required("waiting for a peer's end");
  for (;;) {
    EventLoop& here = *this_runner()->event_loop;
    if (const WaitOutcome due = end_due(*this_runner(), deadline); due != WaitOutcome::kReady) [[unlikely]]
      return result_of_outcome(due);
    PeerWatch watch;
    watch.end = end;
    Linked linked;
    {
      const std::scoped_lock lock(descriptor->lock);
      if (descriptor->peer.has_ended(end)) break;
      linked = link_locked(here, *descriptor, watch, [&] {
        watch.waiter = &self;
        watch.ticket =
            self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), {WaitKind::kPeerEnd, &*descriptor});
      });
    }
    if (!linked.ended) return linked.ended.error();
    Result<void> registered;
    if (linked.plan.step != WaitPlan::Step::kNothing) registered = here.carry_out(*descriptor, linked.plan);
    const WaitOutcome outcome = self.wait();
    if (!won_through_list(outcome)) {
      const std::scoped_lock lock(descriptor->lock);
      if (watch.linked()) descriptor->peer_watches.remove(watch);
    }
    settle_after_wait(*descriptor);
    if (outcome != WaitOutcome::kRetry) return result_of_outcome(outcome);
    if (!registered) return registered;
  }
  spend_budget();
  return {};
}

bool note_peer_end(Descriptor& descriptor, std::uint32_t generation, PeerEnd end) noexcept {
  for (bool told = false;; told = true) {
    std::unique_lock lock(descriptor.lock);
    if (descriptor.usage.generation() != generation) return told;  // closed meanwhile (L8)
    note_locked(descriptor, end);
    PeerWatch* const watch = take_first_locked(descriptor);
    if (watch == nullptr) return told;
    tell_and_unlock(*watch, lock);
  }
}

void end_peer_scopes(Descriptor& descriptor) noexcept {
  for (;;) {
    std::unique_lock lock(descriptor.lock);
    PeerWatch* const watch = descriptor.peer_watches.pop_front();
    if (watch == nullptr) return;
    tell_and_unlock(*watch, lock);
  }
}

void take_peer_waiters_locked(Descriptor& descriptor, WaitList& taken) noexcept {
  descriptor.peer_watches.for_each([&](PeerWatch& watch) {
    if (watch.scope != nullptr) return watch.lost.store(true, relaxed);
    descriptor.peer_watches.remove(watch);
    taken.push_back(watch);
  });
}

}  // namespace weft
