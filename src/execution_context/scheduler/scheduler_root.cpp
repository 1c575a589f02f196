// SPDX-License-Identifier: Apache-2.0
// What runs on the thread's own stack: looking for work farther away, the event loop, sleep
// (docs/design/idle.md).
#include "base/clock.hpp"
#include "base/spin_backoff.hpp"
#include "execution_context/context.hpp"
#include "execution_context/diagnostics/monitor.hpp"
#include "execution_context/forked_child.hpp"
#include "execution_context/idle/sleep_steps.hpp"
#include "execution_context/scheduler/scheduler_hot.hpp"
#include "fiber/overflow.hpp"
#include "sys/thread.hpp"

#include <new>
#include <utility>

namespace weft {
namespace {

/// Rounds over all siblings before a search is given up.
constexpr int kSearchRounds = 4;

/// Fibers moved at once from the context's queue to the local one.
constexpr std::size_t kGlobalBatch = 64;

}  // namespace

void Scheduler::run() noexcept {
  Runner* const outer = this_runner();
  adopt_root_flow(root_);
  thread_id_.store(sys::thread_id(), seq_cst);  // runs from here on, then tells the monitor: as in wake_up()
  Monitor::scheduler_woke_up();
  set_this_runner(this);
  enable_alternate_stack();
  event_loop->enter_thread();
  start_after_sleep(now_ns());
  while (Fiber* fiber = next_from_root()) resume(*fiber);
  leave();
  event_loop->leave_thread();
  set_this_runner(outer);
  thread_id_.store(0, seq_cst);
}

void Scheduler::resume(Fiber& fiber) noexcept {
  // Here, on the root stack, waiting is safe: whoever leaves that fiber waits for nothing of ours (P3).
  for (SpinBackoff backoff; fiber.flow.machine.saved.load(acquire) == 0;) backoff.pause();
  if (runs_long(fiber)) [[unlikely]]
    give_up_poll_duty();
  set_running(&fiber);
  switch_flow(root_, fiber.flow);
  after_switch();
}

// The next fiber to run; null when the thread has to leave.
Fiber* Scheduler::next_from_root() noexcept {
  if (handoff_ != nullptr) return std::exchange(handoff_, nullptr);
  for (;;) {
    if (leaving()) return nullptr;
    if (due_) [[unlikely]]
      serve_what_is_due();
    if (Fiber* fiber = pick_local()) return found(fiber);
    if (!writes_.empty()) {
      writes_.flush();
      continue;  // it may have woken somebody
    }
    if (Fiber* fiber = take_global()) return found(fiber);
    if (Fiber* fiber = search()) return found(fiber);
    sleep();
  }
}

// Ends the search, if there was one, with success. The last one to search did it for everybody: there may be
// more work than one thread's (S5), and nobody who polls (ID4).
Fiber* Scheduler::found(Fiber* fiber) noexcept {
  if (!end_search()) return fiber;
  if (wake_for_the_rest(context_.idle(), *event_loop, [this] { return context_.has_visible_work(); }))
    context_.offer_poll_duty();
  return fiber;
}

// True if this thread was searching, and the last one that was.
bool Scheduler::end_search() noexcept {
  return std::exchange(searching_, false) && context_.idle().end_search();
}

// L12: some of the context's queue, now and then the one that was spawned first, and a look into the event
// loop.
void Scheduler::serve_what_is_due() noexcept {
  due_ = false;
  served_ns_ = pace_.since_ns();
  writes_.flush();
  if (spawn_stack_used() && dues_ % kOldestInterval == 0) {
    if (Fiber* fiber = spawn_stack_.steal()) enqueue_last(*fiber);
  }
  FiberQueue woken;
  take_from_global(woken, overdue_ ? overdue_batch() : 1);
  const bool took_some = !woken.empty();
  counters_.local_enqueues.add(woken.size());
  if (!std::exchange(poll_due_, false) || !poll_now(woken)) push_first(woken);
  if (took_some && !alone_) context_.notify();
}

// What was taken before, and still waits in the ring, counts: a ring that runs over sheds its oldest, behind
// everything.
std::size_t Scheduler::overdue_batch() const noexcept {
  const std::size_t taken = marks_.woken_waiting(run_queue_);
  return taken < kGlobalBatch ? kGlobalBatch - taken : 1;
}

// A fair share: the siblings want some too.
void Scheduler::take_from_global(FiberQueue& taken, std::size_t count_max) noexcept {
  GlobalQueue& queue = context_.global_queue();
  if (queue.empty()) return;
  const std::size_t share = queue.size() / context_.parallelism() + 1;
  queue.take(taken, share < count_max ? share : count_max);
}

Fiber* Scheduler::take_global() noexcept {
  FiberQueue taken;
  take_from_global(taken, kGlobalBatch);
  Fiber* const first = taken.pop();
  while (Fiber* fiber = taken.pop()) push_woken(*fiber);
  return first;
}

// What was woken goes before those that only yielded: they had their turn, and each of them may take as long
// as it likes for the next. Then one of them runs before they are overtaken again.
void Scheduler::push_first(FiberQueue& woken) noexcept {
  if (woken.empty()) return;
  if (overdue_) {  // before what was woken or spawned last, too
    if (Fiber* const next = exchange_next(nullptr)) woken.push(*next);
    next_streak_ = kNextStreakMax;
  }
  const std::uint32_t yielded_end = run_queue_.end();
  const bool overtakes = marks_.yielded_may_be_overtaken(run_queue_);
  while (Fiber* fiber = woken.pop()) push_woken(*fiber);
  if (!overtakes) return;
  // Round they go, one by one: the ring is never empty meanwhile.
  while (!run_queue_.has_passed(yielded_end)) {
    Fiber* const yielded = pop();
    if (yielded == nullptr) return;  // thieves were faster
    push(*yielded);
  }
}

// Looks in the siblings' queues (S5). Whoever publishes work meanwhile relies on it and wakes nobody.
Fiber* Scheduler::search() noexcept {
  if (alone_) {
    end_search();  // woken to take up the duty of a shared loop
    return nullptr;
  }
  if (!searching_) context_.idle().begin_search();
  searching_ = true;
  for (int round = 0; round < kSearchRounds; ++round) {
    if (Fiber* fiber = search_once()) return fiber;
  }
  end_search();  // what comes from now on is seen by the last look in sleep(), or wakes somebody
  return nullptr;
}

Fiber* Scheduler::search_once() noexcept {
  const std::uint32_t count = context_.scheduler_count();
  for (std::uint32_t i = 0; i < count; ++i) {
    victim_ = (victim_ + 1) % count;
    if (victim_ == index_) continue;
    Scheduler& victim = context_.scheduler(victim_);
    if (Fiber* fiber = victim.steal_for(*this)) {
      counters_.steals.add();
      return fiber;
    }
  }
  cpu_relax();
  return take_global();
}

void Scheduler::sleep() noexcept {
  if (asked_for_stacks()) [[unlikely]]
    leave_stacks();
  if (batch_worth_.begun()) batch_worth_.end(now_ns());  // before it parks, too: sleep is not the fibers'
  if (context_.idle().begin_poll(*this)) {
    poll_and_block();
  } else {
    park();
  }
}

[[gnu::noinline]] void Scheduler::leave_stacks() noexcept {
  stack_cache_.flush();
  asked_for_stacks_.store(false, release);  // pairs with the acquire of the monitor, which then trims
}

void Scheduler::poll_and_block() noexcept {
  const auto something_to_do = [this] {
    if (context_.closing()) [[unlikely]]
      context_.look_whether_drained();
    return context_.has_visible_work() || leaving();
  };
  if (!may_block(*event_loop, something_to_do)) {
    end_poll(true);  // kept: a sibling may have parked, relying on it
    return;
  }
  FiberQueue runnable;
  fall_asleep();
  const std::int64_t now = event_loop->run(context_, runnable);
  wake_up();
  start_after_sleep(now);
  const bool worth_a_sibling = came_out(runnable.size(), now);
  while (Fiber* fiber = runnable.pop()) {
    if (!run_queue_.push(*fiber)) overflow(*fiber);
  }
  marks_.woken(run_queue_);
  marks_.polled();
  leave_loop(worth_a_sibling);
}

// The monitor says that it parks, then looks who is awake; we are awake, then look whether it is parked
// (store buffering, all seq_cst).
void Scheduler::wake_up() noexcept {
  asleep_.store(false, seq_cst);
  Monitor::scheduler_woke_up();
}

// A look without sleep, behind `woken`; false: another thread is in the event loop. True: what was woken has
// been enqueued.
bool Scheduler::poll_now(FiberQueue& woken) noexcept {
  if (!context_.idle().begin_poll(*this)) return false;
  FiberQueue runnable;
  const std::int64_t now = event_loop->run(context_, runnable);
  pace_.start(ticks(), now);
  const bool worth_a_sibling = came_out(runnable.size(), now);
  woken.splice(runnable);
  push_first(woken);
  marks_.polled();
  leave_loop(worth_a_sibling);
  return true;
}

// Out of the event loop, with so many fibers. Whether they are worth a sibling's help.
bool Scheduler::came_out(std::size_t count, std::int64_t now_ns) noexcept {
  context_.idle().polled(now_ns);
  counters_.local_enqueues.add(count);
  return !alone_ && batch_worth_.begin(count, now_ns);
}

// With little to run the duty is kept: passing it on would cost a wake-up for each poll. With more a sibling
// is woken, unless one is searching, and whoever is idle first polls again (S11).
void Scheduler::leave_loop(bool worth_a_sibling) noexcept {
  end_poll(!worth_a_sibling);
  if (worth_a_sibling) context_.notify();
}

void Scheduler::end_poll(bool keep) noexcept {
  const bool keeps = keep && context_.may_keep_poll_duty();
  context_.idle().end_poll(*this, keeps);
  if (!keeps) context_.offer_poll_duty();
}

void Scheduler::park() noexcept {
  IdleSet& idle = context_.idle();
  const auto something_to_do = [&] {
    if (context_.closing()) [[unlikely]]
      context_.look_whether_drained();
    // Also whether nobody is going to poll (ID4).
    return context_.has_visible_work() || idle.poll_duty_free() || leaving();
  };
  if (!must_park(idle, *this, something_to_do)) return;
  counters_.parks.add();
  fall_asleep();
  park_spin_.park(parker, thread_id());
  wake_up();
  start_after_sleep(now_ns());
  counters_.unparks.add();
  searching_ = true;  // IdleSet::wake_one counted us in
}

bool Scheduler::leaving() const noexcept { return context_.drained() || context_.retired(index_); }

// A fiber that suspends here, or ends, comes to the root stack at once, whoever it woke before; there the
// context is found drained: see leave().
void Scheduler::become_inherited() noexcept {
  run_next_.store(nullptr, relaxed);
  new (&run_queue_) RunQueue();
  new (&spawn_stack_) SpawnStack();
  aside_ = 0;
  new (&stack_cache_) StackCache(StackPool::process());
  look_at_.store(0, relaxed);
  writes = nullptr;  // what the parent's fibers have put off is the parent's
}

// S7: nothing may be left behind in a queue that nobody serves any more.
void Scheduler::leave() noexcept {
  if (context_.inherited()) [[unlikely]]
    refuse_to_wait_in_child();
  end_search();
  writes_.leave();
  [[maybe_unused]] const bool revoked = context_.idle().revoke_poll_duty(*this);
  aside_ &= static_cast<std::uint8_t>(~kOverflowed);
  FiberQueue left;
  if (Fiber* next = exchange_next(nullptr)) left.push(*next);
  while (Fiber* fiber = pop()) left.push(*fiber);
  while (Fiber* fiber = pop_spawned()) left.push(*fiber);
  if (!left.empty()) context_.global_queue().push(left);
  leave_stacks();
  due_ = poll_due_ = false;
  context_.notify();
  context_.offer_poll_duty();
  if (context_.closing()) context_.look_whether_drained();
}

}  // namespace weft
