// SPDX-License-Identifier: Apache-2.0
// The end of a context: closing, counting, telling who waits for it (docs/design/contexts.md).
#include "execution_context/closing_steps.hpp"
#include "execution_context/context.hpp"
#include "execution_context/diagnostics/monitor.hpp"
#include "execution_context/scheduler/context_lanes.hpp"
#include "fiber/budget.hpp"
#include "fiber/join.hpp"

#include <new>

namespace weft {

void Context::close() noexcept {
  if (closing_.exchange(true, seq_cst)) return;
  close_and_cancel([this] { for_each_lane([](Context& lane) { lane.closing_.store(true, seq_cst); }); },
                   [this] { cancel_fibers(); });
  look_whether_drained();
  Monitor::unpark();  // it watches what does not end
}

void Context::close_after_main() noexcept {
  main_returned_.store(true, relaxed);  // published by the store of closing_
  close();
}

// Nobody can join a detached fiber, so nobody misses it. One with a handle runs, cancelled: its owner is
// alive, as a task group is. Here the closure is destroyed, which may suspend, on the fiber's own stack.
void Context::start_closing(Fiber& fiber) noexcept {
  fiber.cancel();
  if (!leader_->main_returned_.load(relaxed) || !fiber_detached(fiber)) return;
  fiber.main = [](void*) {};
  fiber.drop_storage();
}

// Only slots whose last fiber was, as far as their marks tell, of this context: the process may have a
// million others.
void Context::cancel_fibers() noexcept {
  const std::uint32_t own = StackSlab::mark_of(static_cast<const Home*>(this));
  const auto mine = [&](std::uint32_t mark) noexcept {
    return mark == own || (lanes_ != nullptr && owns_mark(mark));
  };
  std::uint32_t looked_at = 0;
  if (all_finished()) return;  // a fiber that is not counted yet looks later, and finds `closing`
  StackPool::process().for_each_marked_slot(mine, [&](StackSlot& slot) {
    Fiber& fiber = Fiber::in_slot(slot);
    if (!fiber.try_reference()) return;
    if (owns(fiber)) fiber.cancel();
    Runner* const runner = this_runner();  // perhaps another one than that of the fiber before
    fiber.release(StackPool::process(), runner == nullptr ? nullptr : runner->stacks);
    if (++looked_at % kPortion == 0) rest_between_portions();
  });
}

bool Context::owns_mark(std::uint32_t mark) const noexcept {
  bool own = false;
  for_each_lane(
      [&](Context& lane) { own = own || StackSlab::mark_of(static_cast<const Home*>(&lane)) == mark; });
  return own;
}

// F1. What other threads may have held at the time is made anew, and the threads are not there to be joined.
void Context::become_inherited() noexcept {
  inherited_ = true;
  closing_.store(true, relaxed);
  drained_.store(true, relaxed);
  for (std::thread& thread : threads_) new (&thread) std::thread();
  new (&resize_lock_) std::mutex();
  new (&global_queue_) GlobalQueue();
  new (&idle_) IdleSet();
  new (&drain_lock_) SpinLock();
  new (&drain_waiters_) WaitList();
  external_callers_.store(0, relaxed);
  for_each_scheduler([](Scheduler& scheduler) { scheduler.become_inherited(); });
}

// Finished ones are counted first: both sums only grow, and finished <= spawned at any time, so if they are
// equal there was a moment between in which no fiber was left. Acquire: a finish that is seen brings its
// fiber's spawn along.
bool Context::all_finished() noexcept {
  std::uint64_t finished = 0;
  for_each_lane([&](Context& lane) {
    lane.for_each_scheduler(
        [&](Scheduler& scheduler) { finished += scheduler.counters().finished.load(acquire); });
  });
  std::uint64_t spawned = 0;
  for_each_lane([&](Context& lane) {
    spawned += lane.external_spawned_.load(seq_cst);
    lane.for_each_scheduler([&](Scheduler& scheduler) { spawned += scheduler.counters().spawned.load(); });
  });
  return finished == spawned;
}

// Called by the closer, and by each scheduler that is about to sleep or to leave. Each has counted what it
// finished, or said `closing`, then has a full fence, then looks: whoever comes last sees it all (store
// buffering).
void Context::look_whether_drained() noexcept {
  if (leader_ != this) return leader_->look_whether_drained();
  full_fence();
  if (!all_finished() || drained_.exchange(true, seq_cst)) return;
  for_each_lane([](Context& lane) {
    lane.drained_.store(true, seq_cst);
    lane.wake_everybody();
  });
  WaitList won;
  {
    std::scoped_lock lock(drain_lock_);
    while (WaitNode* node = drain_waiters_.pop_front()) {
      if (node->waiter->word.try_win(node->ticket, WaitOutcome::kReady)) won.push_back(*node);
    }
  }
  while (WaitNode* node = won.pop_front()) node->waiter->wake();
}

void Context::wait_until_drained() noexcept {
  Waiter& self = Waiter::current();
  WaitNode node;
  node.waiter = &self;
  {
    std::scoped_lock lock(drain_lock_);
    if (drained()) return;
    node.ticket = self.begin(WaitWord::Cancellable::kNo, Waiter::kNoDeadline, {WaitKind::kContextEnd, this});
    drain_waiters_.push_back(node);
  }
  self.wait();
}

}  // namespace weft
