// SPDX-License-Identifier: Apache-2.0
#include "event_loop/operation/wait.hpp"

#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/event_loop.hpp"
#include "event_loop/registration/registration.hpp"
#include "event_loop/write_batch/write_batch.hpp"
#include "fiber/outcome_error.hpp"
#include "fiber/runner.hpp"

#include <mutex>
#include <type_traits>

namespace weft {
namespace {

template <class Node, class Queued>
[[gnu::always_inline]] inline Result<void> wait_as(Node& node, Descriptor& descriptor, Direction direction,
                                                   Deadline deadline, Queued&& queued) noexcept {
  constexpr bool kPutsOff = std::is_same_v<Node, PutOffWrite>;
  Waiter& self = this_fiber_required("waiting on a descriptor");
  EventLoop& loop = *this_runner()->event_loop;
  WaitPlan plan;
  {
    std::scoped_lock lock(descriptor.lock);
    if constexpr (kPutsOff) {
      if (descriptor.usage.closing_or_awaited_locked()) [[unlikely]]
        return descriptor.usage.closing() ? Result<void>(Errc::closed) : Result<void>();
    } else if (descriptor.usage.closing()) {
      return Errc::closed;
    }
    if (descriptor.readiness.load().ready(direction)) return {};  // an edge came after the attempt (L3)
    plan = loop.plan_wait_locked(descriptor, direction);
    node.waiter = &self;
    node.ticket =
        self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), waiting_for(descriptor, direction));
    add_waiter_locked(descriptor, direction, node);
    if constexpr (kPutsOff) descriptor.put_off = &node;
  }
  queued();
  Result<void> registered;
  if (plan.step != WaitPlan::Step::kNothing) [[unlikely]]
    registered = loop.carry_out(descriptor, plan);
  // Also after a failed registration: it has ended the wait, unless somebody was faster.
  const WaitOutcome outcome = self.wait();
  if (outcome == WaitOutcome::kReady && plan.step == WaitPlan::Step::kNothing) [[likely]]
    return {};
  if (!won_through_list(outcome)) {
    std::scoped_lock lock(descriptor.lock);
    remove_waiter_locked(descriptor, direction, node);
  }
  if (plan.step != WaitPlan::Step::kNothing) [[unlikely]]
    settle_after_wait(descriptor);
  if (outcome == WaitOutcome::kRetry) return registered;
  return result_of_outcome(outcome);
}

}  // namespace

Result<void> wait(Descriptor& descriptor, Direction direction, Deadline deadline) noexcept {
  WaitNode node;
  return wait_as(node, descriptor, direction, deadline, [] {});
}

WriteTicket wait_with_write(WriteTurn& turn, Deadline deadline, WriteSlot& slot, BufferSource& source,
                            Result<void>& waited) noexcept {
  WriteTicket ticket = 0;
  PutOffWrite node;
  node.slot = &slot;
  node.ticket_of_slot = slot.word.next_ticket();
  waited = wait_as(node, *turn, Direction::kRead, deadline, [&] {
    ticket = this_runner()->writes->queue(slot);
    source.give_back();
  });
  if (node.turn_taken) [[unlikely]]
    turn.taken_away();
  return ticket;
}

}  // namespace weft
