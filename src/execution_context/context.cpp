// SPDX-License-Identifier: Apache-2.0
#include "execution_context/context.hpp"

#include "base/clock.hpp"
#include "event_loop/epoll_event_loop.hpp"
#include "sys/thread.hpp"

#include <new>
#include <sched.h>
#include <string>
#include <system_error>

namespace weft {
namespace {

std::unique_ptr<EventLoop> platform_event_loop() {
  return EpollEventLoop::create().value();
}

Scheduler* scheduler_of_this_thread() noexcept { return static_cast<Scheduler*>(this_runner()); }

}  // namespace

Context* current_context() noexcept {
  Scheduler* const scheduler = scheduler_of_this_thread();
  return scheduler == nullptr ? nullptr : &scheduler->context();
}

Context::Context(ContextOptions options)
    : name_(std::move(options.name)),
      resizable_(options.resizable),
      uses_calling_thread_(options.uses_calling_thread),
      event_loop_(options.event_loop ? std::move(options.event_loop) : platform_event_loop()) {
  WEFT_ASSERT(options.parallelism >= 1 && options.parallelism <= kParallelismMax, "parallelism out of range",
              WEFT_VALUE(options.parallelism));
  try {
    std::scoped_lock lock(resize_lock_);
    for (std::uint32_t i = 0; i < options.parallelism; ++i) add_scheduler();
  } catch (const std::system_error&) {
    close();
    stop_threads();
    throw;
  }
}

Context::~Context() {
  WEFT_ASSERT(current_context() != this, "an execution context is destroyed by one of its own fibers");
  close();
  wait_until_drained();
  stop_threads();
  // Somebody may have enqueued the last fiber and not have returned from notify() yet.
  while (external_callers_.load(acquire) != 0) sched_yield();
  event_loop_->retire();
  for_each_scheduler([](Scheduler& scheduler) { delete &scheduler; });
}

Fiber& Context::create_fiber(const FiberOptions& options) {
  Runner* const runner = this_runner();
  StackCache* const cache = runner == nullptr ? nullptr : runner->stacks;
  Fiber* const fiber = Fiber::create(StackPool::process(), cache, options);
  if (fiber == nullptr) throw std::bad_alloc();
  fiber->home = this;
  return *fiber;
}

void Context::start(Fiber& fiber) noexcept {
  WEFT_ASSERT(!drained(), "a fiber is spawned in an execution context that has ended", WEFT_VALUE(fiber.id));
  Scheduler* const scheduler = scheduler_of_this_thread();
  if (scheduler != nullptr && &scheduler->context() == this) {
    scheduler->counters().spawned.add();
    scheduler->enqueue_next(fiber);
  } else {
    external_spawned_.fetch_add(1, seq_cst);
    enqueue(fiber);
  }
}

void Context::enqueue(Fiber& fiber) noexcept {
  Scheduler* const scheduler = scheduler_of_this_thread();
  if (scheduler != nullptr && &scheduler->context() == this) return scheduler->enqueue_next(fiber);
  // From the push on the fiber may run, end, and with it the context: the count keeps the destructor out.
  external_callers_.fetch_add(1, relaxed);
  global_enqueues_.add();
  global_queue_.push(fiber);
  notify();
  external_callers_.fetch_sub(1, release);
}

void Context::notify() noexcept {
  full_fence();  // published before; now look for a sleeper: pairs with the fences in park() and poll_and_block()
  if (idle_.anybody_searches() || idle_.wake_one()) return;
  event_loop_->interrupt();
}

void Context::wake_everybody() noexcept {
  full_fence();
  while (idle_.wake_one()) {
  }
  event_loop_->interrupt();
}

bool Context::has_visible_work() noexcept {
  if (!global_queue_.empty()) return true;
  bool found = false;
  for_each_scheduler([&](Scheduler& scheduler) { found = found || !scheduler.run_queue().empty(); });
  return found;
}

void Context::run() noexcept {
  WEFT_ASSERT(uses_calling_thread_, "run() of a context that has threads of its own");
  schedulers_[0].load(relaxed)->run();
}

// -- threads ---------------------------------------------------------------------------------------------------

// REQUIRES: resize_lock_ held.
void Context::add_scheduler() {
  const std::uint32_t index = parallelism_.load(relaxed);
  if (index == scheduler_count_.load(relaxed)) {
    schedulers_[index].store(new Scheduler(*this, index), relaxed);
    scheduler_count_.store(index + 1, release);  // pairs with the acquires of those who look at schedulers
  }
  parallelism_.store(index + 1, release);
  if (index != 0 || !uses_calling_thread_) start_thread(index);
}

// REQUIRES: resize_lock_ held.
void Context::start_thread(std::uint32_t index) {
  if (active_[index]) return;  // it was told to leave, has not done so yet, and now finds that it may stay
  std::thread& thread = threads_[index];
  if (thread.joinable()) thread.join();
  try {
    thread = std::thread([this, index] { thread_main(*schedulers_[index].load(relaxed)); });
    active_[index] = true;
  } catch (const std::system_error&) {
    parallelism_.store(index, release);
    throw;
  }
}

void Context::thread_main(Scheduler& scheduler) noexcept {
  const std::string suffix = '-' + std::to_string(scheduler.index());
  [[maybe_unused]] const auto named = sys::set_thread_name(name_.substr(0, 15 - suffix.size()) + suffix);
  do {
    scheduler.run();
  } while (!may_leave(scheduler));
}

bool Context::may_leave(Scheduler& scheduler) noexcept {
  if (drained()) return true;  // stop_threads() joins, and resize() is not called any more
  std::scoped_lock lock(resize_lock_);
  if (scheduler.index() < parallelism_.load(relaxed)) return false;
  active_[scheduler.index()] = false;
  return true;
}

void Context::resize(std::uint32_t parallelism) {
  WEFT_ASSERT(resizable_, "this execution context cannot be resized");
  if (parallelism < 1 || parallelism > kParallelismMax) {
    throw std::system_error(std::make_error_code(std::errc::invalid_argument), "weft: parallelism out of range");
  }
  std::scoped_lock lock(resize_lock_);
  while (parallelism_.load(relaxed) < parallelism) add_scheduler();
  if (parallelism_.load(relaxed) == parallelism) return;
  parallelism_.store(parallelism, seq_cst);
  wake_everybody();  // those who are to leave may be asleep
}

void Context::stop_threads() noexcept {
  drained_.store(true, seq_cst);
  wake_everybody();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

// -- the end ---------------------------------------------------------------------------------------------------

void Context::close() noexcept {
  if (closing_.exchange(true, seq_cst)) return;
  cancel_fibers();
  look_whether_drained();
}

void Context::cancel_fibers() noexcept {
  Runner* const runner = this_runner();
  StackCache* const cache = runner == nullptr ? nullptr : runner->stacks;
  for_each_fiber(StackPool::process(), cache, [this](Fiber& fiber) {
    if (fiber.home == this) fiber.cancel();
  });
}

void Context::fiber_finished(Scheduler& scheduler) noexcept {
  scheduler.counters().finished.fetch_add(1, seq_cst);
  if (closing()) [[unlikely]] look_whether_drained();
}

// Finished ones are counted first: both sums only grow, and finished <= spawned at any time, so if they are equal
// there was a moment between in which no fiber was left.
bool Context::all_finished() noexcept {
  std::uint64_t finished = 0;
  for_each_scheduler([&](Scheduler& scheduler) { finished += scheduler.counters().finished.load(seq_cst); });
  std::uint64_t spawned = external_spawned_.load(seq_cst);
  for_each_scheduler([&](Scheduler& scheduler) { spawned += scheduler.counters().spawned.load(); });
  return finished == spawned;
}

void Context::look_whether_drained() noexcept {
  if (!all_finished() || drained_.exchange(true, seq_cst)) return;
  wake_everybody();
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
    node.ticket = self.begin(WaitWord::Cancellable::kNo);
    drain_waiters_.push_back(node);
  }
  self.wait();
}

ContextCounters Context::counters() const noexcept {
  ContextCounters sum;
  sum.fibers_spawned = external_spawned_.load(relaxed);
  sum.global_enqueues = global_enqueues_.load();
  const std::uint32_t count = scheduler_count_.load(acquire);
  for (std::uint32_t i = 0; i < count; ++i) {
    Scheduler& scheduler = *schedulers_[i].load(relaxed);
    const SchedulerCounters& counters = scheduler.counters();
    sum.fibers_spawned += counters.spawned.load();
    sum.fibers_finished += counters.finished.load(relaxed);
    sum.switches += scheduler.ticks();
    sum.local_enqueues += counters.local_enqueues.load();
    sum.overflows += counters.overflows.load();
    sum.steals += counters.steals.load();
    sum.stolen_fibers += counters.stolen_fibers.load();
    sum.parks += counters.parks.load();
    sum.unparks += counters.unparks.load();
  }
  return sum;
}

}  // namespace weft
