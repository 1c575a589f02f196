// SPDX-License-Identifier: Apache-2.0
// What runs on the thread's own stack: looking for work farther away, the event loop, sleep
// (docs/design/idle.md).
#include "base/clock.hpp"
#include "execution_context/context.hpp"
#include "execution_context/forked_child.hpp"
#include "execution_context/monitor.hpp"
#include "execution_context/scheduler_hot.hpp"
#include "execution_context/sleep_steps.hpp"
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
  while (Fiber* fiber = next_from_root()) resume(*fiber);
  leave();
  event_loop->leave_thread();
  set_this_runner(outer);
  thread_id_.store(0, seq_cst);
}

void Scheduler::resume(Fiber& fiber) noexcept {
  // Here, on the root stack, waiting is safe: whoever leaves that fiber waits for nothing of ours (P3).
  for (SpinBackoff backoff; fiber.flow.machine.saved.load(acquire) == 0;) backoff.pause();
  set_running(&fiber);
  switch_flow(root_, fiber.flow);
  after_switch();
}

// The next fiber to run; null when the thread has to leave.
Fiber* Scheduler::next_from_root() noexcept {
  if (handoff_ != nullptr) return std::exchange(handoff_, nullptr);
  for (;;) {
    if (leaving()) return nullptr;
    if (until_due_ == 0) serve_what_is_due();
    if (Fiber* fiber = pick_local()) return found(fiber);
    if (!writes_.empty()) {
      writes_.flush();
      continue;  // it may have woken somebody
    }
    if (Fiber* fiber = take_global(kGlobalBatch)) return found(fiber);
    if (Fiber* fiber = search()) return found(fiber);
    sleep();
  }
}

// Ends the search, if there was one, with success. The last one to search did it for everybody: there may be
// more work than one thread's (S5).
Fiber* Scheduler::found(Fiber* fiber) noexcept {
  if (end_search() && context_.has_visible_work()) context_.notify();
  return fiber;
}

// True if this thread was searching, and the last one that was.
bool Scheduler::end_search() noexcept {
  return std::exchange(searching_, false) && context_.idle_.end_search();
}

// L12: one fiber of the context's queue, now and then the one that was spawned first, and a look into the
// event loop.
void Scheduler::serve_what_is_due() noexcept {
  until_due_ = kDueInterval;
  writes_.flush();
  if (spawn_stack_used_ && dues_ % kOldestInterval == 0) {
    if (Fiber* fiber = spawn_stack_.steal()) enqueue_last(*fiber);
  }
  if (Fiber* fiber = take_global(1)) enqueue_last(*fiber);
  if (poll_is_due()) poll_now();
}

Fiber* Scheduler::take_global(std::size_t count_max) noexcept {
  GlobalQueue& queue = context_.global_queue_;
  if (queue.empty()) return nullptr;
  FiberQueue taken;
  // A fair share: the siblings want some too.
  const std::size_t share = queue.size() / context_.parallelism() + 1;
  queue.take(taken, share < count_max ? share : count_max);
  Fiber* const first = taken.pop();
  while (Fiber* fiber = taken.pop()) {
    if (!run_queue_.push(*fiber)) overflow(*fiber);
  }
  return first;
}

// Looks in the siblings' queues (S5). Whoever publishes work meanwhile relies on it and wakes nobody.
Fiber* Scheduler::search() noexcept {
  if (alone_) {
    end_search();  // woken to take up the duty of a shared loop
    return nullptr;
  }
  if (!searching_) context_.idle_.begin_search();
  searching_ = true;
  for (int round = 0; round < kSearchRounds; ++round) {
    if (Fiber* fiber = search_once()) return fiber;
  }
  end_search();  // what comes from now on is seen by the last look in sleep(), or wakes somebody
  return nullptr;
}

Fiber* Scheduler::search_once() noexcept {
  const std::uint32_t count = context_.scheduler_count_.load(acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    victim_ = (victim_ + 1) % count;
    if (victim_ == index_) continue;
    Scheduler& victim = *context_.schedulers_[victim_].load(relaxed);
    if (Fiber* fiber = victim.steal_for(*this)) {
      counters_.steals.add();
      return fiber;
    }
  }
  cpu_relax();
  return take_global(kGlobalBatch);
}

void Scheduler::sleep() noexcept {
  if (batch_worth_.begun()) batch_worth_.end(now_ns());  // before it parks, too: sleep is not the fibers'
  if (context_.idle_.begin_poll(*this)) {
    poll_and_block();
  } else {
    park();
  }
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
  take_runnable(runnable, now);
}

// The monitor says that it parks, then looks who is awake; we are awake, then look whether it is parked
// (store buffering, all seq_cst).
void Scheduler::wake_up() noexcept {
  asleep_.store(false, seq_cst);
  Monitor::scheduler_woke_up();
}

// A look without sleep, unless another thread is in the event loop.
void Scheduler::poll_now() noexcept {
  if (!context_.idle_.begin_poll(*this)) return;
  FiberQueue runnable;
  const std::int64_t now = event_loop->run(context_, runnable);
  take_runnable(runnable, now);
}

// Out of the event loop. With little to run the duty is kept: passing it on would cost a wake-up for each
// poll. With more a sibling is woken, unless one is searching, and whoever is idle first polls again (S11).
void Scheduler::take_runnable(FiberQueue& runnable, std::int64_t now_ns) noexcept {
  context_.last_poll_ns_.store(now_ns, relaxed);
  const bool worth_a_sibling = !alone_ && batch_worth_.begin(runnable.size(), now_ns);
  counters_.local_enqueues.add(runnable.size());
  while (Fiber* fiber = runnable.pop()) {
    if (!run_queue_.push(*fiber)) overflow(*fiber);
  }
  end_poll(!worth_a_sibling);
  if (worth_a_sibling) context_.notify();
}

void Scheduler::end_poll(bool keep) noexcept {
  const bool keeps = keep && context_.may_keep_poll_duty();
  context_.idle_.end_poll(*this, keeps);
  if (!keeps) context_.offer_poll_duty();
}

void Scheduler::park() noexcept {
  IdleSet& idle = context_.idle_;
  const auto something_to_do = [&] {
    if (context_.closing()) [[unlikely]]
      context_.look_whether_drained();
    // Also whether nobody is going to poll (I4).
    return context_.has_visible_work() || idle.poll_duty_free() || leaving();
  };
  if (!must_park(idle, *this, something_to_do)) return;
  counters_.parks.add();
  fall_asleep();
  park_spin_.park(parker, thread_id());
  wake_up();
  counters_.unparks.add();
  searching_ = true;  // IdleSet::wake_one counted us in
}

bool Scheduler::leaving() const noexcept {
  return context_.drained() || index_ >= context_.parallelism_.load(relaxed);
}

// A fiber that suspends here, or ends, comes to the root stack at once, whoever it woke before; there the
// context is found drained: see leave().
void Scheduler::become_inherited() noexcept {
  run_next_.store(nullptr, relaxed);
  new (&run_queue_) RunQueue();
  new (&spawn_stack_) SpawnStack();
  spawn_stack_used_ = false;
  new (&stack_cache_) StackCache(StackPool::process());
  until_due_ = 1;
}

// S7: nothing may be left behind in a queue that nobody serves any more.
void Scheduler::leave() noexcept {
  if (context_.inherited()) [[unlikely]]
    refuse_to_wait_in_child();
  end_search();
  writes_.leave();
  [[maybe_unused]] const bool revoked = context_.idle_.revoke_poll_duty(*this);
  FiberQueue left;
  if (Fiber* next = exchange_next(nullptr)) left.push(*next);
  while (Fiber* fiber = pop()) left.push(*fiber);
  while (Fiber* fiber = pop_spawned()) left.push(*fiber);
  if (!left.empty()) context_.global_queue_.push(left);
  stack_cache_.flush();
  until_due_ = kDueInterval;
  context_.notify();
  context_.offer_poll_duty();
  if (context_.closing()) context_.look_whether_drained();
}

}  // namespace weft
