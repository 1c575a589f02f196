// SPDX-License-Identifier: Apache-2.0
// What runs on the fibers' stacks: picking the next fiber, switching to it, enqueueing.
#include "execution_context/scheduler/scheduler.hpp"

#include "base/clock.hpp"
#include "execution_context/closing_steps.hpp"
#include "execution_context/context.hpp"
#include "execution_context/scheduler/scheduler_hot.hpp"

#include <weft/this_fiber.hpp>

#include <utility>

namespace weft {

Scheduler::Scheduler(Context& context, std::uint32_t index) noexcept
    : context_(context),
      index_(index),
      alone_(context.alone()),
      victim_(index),
      stack_cache_(StackPool::process()) {
  home = &context;
  attach(*this, context.event_loop());
  stacks = &stack_cache_;
  writes = &writes_;
}

// The next fiber for this thread, or null: go to the root stack.
WEFT_HOT Fiber* Scheduler::pick() noexcept {
  if (look_is_due()) [[unlikely]]
    return pick_after_look();
  return pick_local();
}

[[gnu::noinline]] Fiber* Scheduler::pick_after_look() noexcept {
  due_ = look_around();
  if (due_) return nullptr;
  Fiber* const next = pick_local();
  if (next != nullptr && runs_long(*next)) give_up_poll_duty();
  return next;
}

// The ring gets its turn (S4). Out of line, as what follows.
[[gnu::noinline]] Fiber* Scheduler::pick_instead_of(Fiber* next) noexcept {
  next_streak_ = 0;
  if (next == nullptr) return pop();
  if (run_queue_.empty() && !overflowed()) return next;
  overflowed() ? push_behind_all(*next) : push_woken(*next);
  return pop();
}

// Leaves `flow` for `next`, or for the root stack if there is no next one or it is not saved yet (P3).
WEFT_HOT void Scheduler::switch_from(Flow& flow, Fiber* next, bool ends) noexcept {
  // Acquire: pairs with the release in weft_switch_context of the thread that left `next`.
  if (next != nullptr && next->flow.machine.saved.load(acquire) != 0) [[likely]] {
    set_running(next);
    switch_flow(flow, next->flow, ends);
  } else {
    handoff_ = next;
    set_running(nullptr);
    switch_flow(flow, root_, ends);
  }
  // Perhaps another thread: nothing of `this` may be used.
  static_cast<Scheduler*>(this_runner())->after_switch();
}

// The current fiber goes on, as if it had been switched to.
WEFT_HOT void Scheduler::stay() noexcept {
  tick();
  budget = kBudgetPart;
}

WEFT_HOT void Scheduler::suspend_inline() noexcept {
  Fiber& self = *current;
  Fiber* const next = pick();
  if (next == &self) return stay();  // woken already, and first in the queue
  // While `next` runs: by then it is in the second-level cache, where nothing of it would be otherwise when
  // many take turns.
  if (const Fiber* const soon = run_queue_.oldest()) __builtin_prefetch(&soon->flow);
  switch_from(self.flow, next, false);
}

WEFT_HOT void Scheduler::yield_inline() noexcept {
  Fiber& self = *current;  // NOLINT(clang-analyzer-core.NullDereference): yield() has looked
  counters_.local_enqueues.add();
  if (run_next_.load(relaxed) != nullptr || aside_ != 0 || look_is_due()) [[unlikely]] {
    if (!look_is_due() || overflowed()) return yield_behind_all();
    push(self);
    return suspend();
  }
  // The usual case of pick(): the ring's oldest, whose place is then free for this one.
  next_streak_ = 0;
  Fiber* const next = pop();
  if (next == nullptr) [[unlikely]]
    return context_.global_queue().empty() ? stay() : yield_behind_all();
  run_queue_.push_after_pop(self);
  switch_from(self.flow, next, false);
}

// Behind what waits in the context's queue, too: who yields again and again would keep it waiting, as that is
// looked at now and then only while there is something nearer.
[[gnu::noinline]] void Scheduler::yield_behind_all() noexcept {
  Fiber& self = *current;
  context_.global_queue().empty() ? push(self) : push_behind_all(self);
  suspend();
}

// Fibers that waited in the ring before it ran over wait in the context's queue: who is pushed to the ring
// now would overtake them again and again.
void Scheduler::push_behind_all(Fiber& fiber) noexcept {
  FiberQueue last;
  last.push(fiber);
  context_.global_queue().push(last);
}

// The ring is empty, after it ran over: what has waited longest in the context's queue comes to it, in its
// order.
[[gnu::cold, gnu::noinline]] Fiber* Scheduler::refill() noexcept {
  FiberQueue taken;
  take_from_global(taken, RunQueue::capacity() / 4);
  if (context_.global_queue().empty()) aside_ &= static_cast<std::uint8_t>(~kOverflowed);
  Fiber* const first = taken.pop();
  while (Fiber* fiber = taken.pop()) push_woken(*fiber);
  return first;
}

void Scheduler::suspend() noexcept { suspend_inline(); }
void Scheduler::yield() noexcept { yield_inline(); }

void Scheduler::finish() noexcept {
  Fiber& self = *current;
  zombie_ = &self;
  switch_from(self.flow, pick(), true);
  WEFT_PANIC("a finished fiber was resumed", WEFT_VALUE(self.id));
}

void Scheduler::entered() noexcept {
  after_switch();
  if (born_while_closing([this] { return context_.closing(); })) [[unlikely]]
    context_.start_closing(*this_fiber_or_null());
}

void Scheduler::arm_timer(Waiter& waiter) noexcept {
  if (event_loop->timers().arm(waiter)) event_loop->interrupt();
}

void Scheduler::disarm_timer(Waiter& waiter) noexcept { event_loop->timers().disarm(waiter); }

// A look at the clock. True: something is due, for the root stack. Of what the current fiber, the last one
// that ran, is known now if it was the only one since the last look.
bool Scheduler::look_around() noexcept {
  const bool counted = !pace_.long_switches();
  const std::int64_t now = now_ns();
  const Pace::Look look = pace_.look(ticks(), now);
  look_at_.store(ticks() + pace_.switches_to_next_look(), relaxed);
  if (look.switches == 1) note_run(*current, look.took_ns);
  if (next_streak_ != 0 && look.took_ns >= Pace::kBoundNs) next_streak_ = kNextStreakMax;  // S4, by time
  overdue_ = now - served_ns_ >= Pace::kDueNs;
  return leaving() || ((overdue_ || counted) && something_is_due(now, counted));
}

// Once may have been the kernel, which gave the CPU to another thread.
void Scheduler::note_run(Fiber& fiber, std::int64_t took_ns) noexcept {
  const std::uint8_t before = fiber.long_runs.load(relaxed);
  const std::uint8_t now = took_ns < Pace::kBoundNs ? 0 : before == 0 ? 1 : kLongRuns;
  if (now != before) fiber.long_runs.store(now, relaxed);
}

// L12: what a thread with a never empty local queue must look at now and then.
bool Scheduler::something_is_due(std::int64_t now_ns, bool counted) noexcept {
  // Whoever is in the event loop now, or keeps the duty, answers for the bound. What a poll has brought runs
  // before the next one: what that brings would go behind it. 0 after so many switches: the clock is a
  // simulation's, which stands still while fibers run.
  const IdleSet& idle = context_.idle();
  const std::int64_t since_ns = now_ns - idle.last_poll_ns();
  // Of a loop that is shared the last poll's may be another context's.
  const bool overdue = (marks_.passed_polled(run_queue_) || idle.shared()) && since_ns >= Pace::kDueNs;
  poll_due_ = (overdue || (since_ns == 0 && counted)) && idle.may_poll(*this);
  if (spawn_stack_used() && ++dues_ % kOldestInterval == 0) return true;
  return !writes_.empty() || !context_.global_queue().empty() || poll_due_;
}

// Nobody would poll while a fiber runs next that keeps its thread for long (S11).
void Scheduler::give_up_poll_duty() noexcept {
  if (alone_ && !context_.idle().shared()) return;  // there is nobody else
  if (!context_.idle().revoke_poll_duty(*this)) return;
  context_.notify();
  context_.offer_poll_duty();
}

// A part of the budget is spent. Operations that find everything ready may take long, with what lies between
// them: a fiber has 64 of them, or kTurnNs and the part in which that passes.
bool Scheduler::budget_is_over() const noexcept {
  const std::uint32_t parts = turn_ == ticks() ? parts_ : 0;
  if (parts + 1 == kBudget / kBudgetPart) return true;
  return pace_.long_switches() && now_ns() - pace_.since_ns() >= kTurnNs;
}

bool Scheduler::budget_spent() noexcept {
  if (budget_is_over()) return let_others_run(), true;
  if (std::exchange(turn_, ticks()) != ticks()) parts_ = 0;
  ++parts_;
  budget = kBudgetPart;
  return false;
}

void Scheduler::let_others_run() noexcept { context_.inherited() ? stay() : yield(); }

[[gnu::noinline]] void Scheduler::release_zombie() noexcept {
  std::exchange(zombie_, nullptr)->release(stack_cache_.pool(), &stack_cache_);
  counters_.finished.store(counters_.finished.load(relaxed) + 1, release);
}

void Scheduler::enqueue_next(Fiber& fiber) noexcept {
  counters_.local_enqueues.add();
  Fiber* const previous = exchange_next(&fiber);
  if (previous != nullptr) push_and_notify(*previous);  // the slot is this thread's: nobody is woken for it
}

void Scheduler::enqueue_spawned(Fiber& fiber) noexcept {
  counters_.local_enqueues.add();
  Fiber* const previous = exchange_next(&fiber);
  if (previous == nullptr) return;
  aside_ |= kSpawned;
  if (!spawn_stack_.push(*previous) && !run_queue_.push(*previous)) overflow(*previous);
  if (!alone_) context_.notify();
}

Fiber* Scheduler::pop_spawned() noexcept {
  Fiber* const fiber = alone_ ? spawn_stack_.pop_alone() : spawn_stack_.pop();
  if (fiber == nullptr) aside_ &= static_cast<std::uint8_t>(~kSpawned);
  return fiber;
}

void Scheduler::enqueue_last(Fiber& fiber) noexcept {
  counters_.local_enqueues.add();
  push_and_notify(fiber);
}

// Out of line, both: their callers' usual case is another one, and needs no frame.
[[gnu::noinline]] void Scheduler::push_and_notify(Fiber& fiber) noexcept {
  overflowed() ? push_behind_all(fiber) : push_woken(fiber);
  if (!alone_) context_.notify();
}
void Scheduler::push_woken(Fiber& fiber) noexcept {
  push(fiber);
  marks_.woken(run_queue_);
}
[[gnu::noinline]] void Scheduler::push(Fiber& fiber) noexcept {
  if (!run_queue_.push(fiber)) overflow(fiber);
}

// The ring is full: its older half and `fiber` go to the context's queue (S4). So does what comes from now
// on, until that is empty: else those that were left in the ring would have it for themselves.
void Scheduler::overflow(Fiber& fiber) noexcept {
  aside_ |= kOverflowed;
  counters_.overflows.add();
  FiberQueue shed;
  run_queue_.shed_half(shed);
  shed.push(fiber);
  context_.global_queue().push(shed);
  if (!alone_) context_.notify();
}

Fiber* Scheduler::steal_for(Scheduler& thief) noexcept {
  const std::uint32_t count = run_queue_.steal_into(thief.run_queue_);
  if (count != 0) {
    thief.counters_.stolen_fibers.add(count);
    return thief.run_queue_.pop();
  }
  if (Fiber* const oldest = spawn_stack_.steal()) {
    thief.counters_.stolen_fibers.add();
    return oldest;
  }
  if (!stuck_.load(relaxed)) return nullptr;
  Fiber* const next = run_next_.exchange(nullptr, acq_rel);
  if (next != nullptr) thief.counters_.stolen_fibers.add();
  return next;
}

// Here, so that it is one function with the scheduler's.
void yield() noexcept {
  Runner* const runner = this_runner();
  if (runner == nullptr || runner->current == nullptr) [[unlikely]]
    this_fiber_required("yield()");
  static_cast<Scheduler*>(runner)->yield_inline();  // NOLINT(clang-analyzer-core.CallAndMessage): the same
}

}  // namespace weft
