// SPDX-License-Identifier: Apache-2.0
#include "execution_context/context.hpp"

#include "base/fork_count.hpp"
#include "event_loop/checked_strategy.hpp"
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/make_event_loop.hpp"
#include "execution_context/context_registry.hpp"
#include "execution_context/diagnostics/dump.hpp"
#include "execution_context/diagnostics/monitor.hpp"
#include "execution_context/diagnostics/own_backtrace.hpp"
#include "execution_context/foreign_tsan.hpp"
#include "execution_context/forked_child.hpp"
#include "execution_context/idle/sleep_steps.hpp"
#include "execution_context/memory/stack_shortage.hpp"
#include "execution_context/scheduler/context_lanes.hpp"
#include "execution_context/shared_loop.hpp"
#include "fiber/overflow.hpp"

#include <new>

namespace weft {
namespace {

/// Fibers are pinned to threads, of which there are several, or may be.
bool has_lanes(const ContextOptions& options, const EventLoopStrategy& strategy) noexcept {
  return strategy.placement == EventLoopStrategy::Placement::kPerThread && !options.event_loop &&
         options.lane_of == nullptr && (options.parallelism > 1 || options.resizable);
}

/// By the first context.
void prepare_process() {
  [[maybe_unused]] static const bool prepared = [] {
    refuse_foreign_tsan();
    install_overflow_handler();
    keep_panic_witness();
    set_panic_hook(dump_fibers_and_die);
    prepare_for_fork();
    return true;
  }();
  Monitor::start();
  if (fork_count != 0) {
    DescriptorArena::instance().forget_parents_users();
    restart_dump_thread();
  }
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
      strategy_(checked_strategy(options.strategy)),
      stuck_report_after_(options.stuck_report_after),
      alone_(has_lanes(options, strategy_) || (options.parallelism == 1 && !options.resizable)),
      uses_calling_thread_(options.uses_calling_thread),
      isolated_(options.isolated),
      shared_loop_(options.event_loop ? nullptr : SharedLoop::of(strategy_)),
      own_event_loop_(options.event_loop ? std::move(options.event_loop)
                      : shared_loop_     ? nullptr
                                         : make_event_loop(strategy_)),
      event_loop_(shared_loop_ ? &shared_loop_->loop() : own_event_loop_.get()),
      leader_(options.lane_of == nullptr ? this : options.lane_of),
      lane_(options.lane),
      spawn_context_(leader_) {
  WEFT_ASSERT(options.parallelism >= 1 && options.parallelism <= kParallelismMax, "parallelism out of range",
              WEFT_VALUE(options.parallelism));
  struct EndOnException {
    Context* context;
    ~EndOnException() {
      if (context != nullptr) context->end();
    }
  } guard{this};
  if (own_event_loop_ != nullptr) own_event_loop_->belong_to(*this);
  prepare_process();
  std::vector<std::unique_ptr<Context>> added;  // goes after the lock
  {
    std::scoped_lock lock(resize_lock_);
    // A lone scheduler where several were asked for.
    if (alone_ && (options.parallelism > 1 || options.resizable))
      lanes_ = std::make_unique<ContextLanes>(*this);
    if (shared_loop_ != nullptr) {
      idle_.share(shared_loop_->duty());
      shared_loop_->add(*this);
    }
    for (std::uint32_t i = 0; i < (lanes_ == nullptr ? options.parallelism : 1); ++i) add_scheduler();
    if (lanes_ != nullptr) add_lanes(options.parallelism, added);
  }
  ContextRegistry::instance().add(*this);
  guard.context = nullptr;
}

Context::~Context() {
  if (inherited_) return;
  Context* const current = current_context();
  WEFT_ASSERT(current == nullptr || current->leader_ != this,
              "an execution context is destroyed by one of its own fibers");
  if (leader_ == this) {
    close();
    wait_until_drained();
  }
  end();
}

// What is left to do when there is no fiber any more, or never was one.
void Context::end() noexcept {
  // Of all lanes, before any is destroyed: the thread that saw the end wakes the others.
  for_each_lane([](Context& lane) { lane.stop_threads(); });
  lanes_.reset();
  // Somebody may have enqueued the last fiber and not have returned from notify() yet.
  for (SpinBackoff backoff; external_callers_.load(acquire) != 0;) backoff.pause();
  ContextRegistry::instance().remove(*this);
  if (shared_loop_ != nullptr) {
    shared_loop_->remove(*this);
  } else {
    event_loop_->retire();
  }
  for_each_scheduler([](Scheduler& scheduler) { delete &scheduler; });
}

Fiber& Context::create_fiber(FiberOptions options) {
  Runner* const runner = this_runner();
  StackCache* const cache = runner == nullptr ? nullptr : runner->stacks;
  // Before anybody can see the fiber.
  options.home = lanes_ == nullptr ? this : &lanes_->deal();
  Fiber* const fiber = Fiber::create(StackPool::process(), cache, options);
  if (fiber == nullptr) throw StackShortage();
  return *fiber;
}

void Context::start(Fiber& fiber) noexcept {
  if (lanes_ == nullptr) [[likely]]
    return start_here(fiber);
  static_cast<Context*>(fiber.home)->start_here(fiber);
}

void Context::start_here(Fiber& fiber) noexcept {
  if (drained()) [[unlikely]]
    refuse_to_start(fiber);
  Scheduler* const scheduler = scheduler_of_this_thread();
  if (scheduler != nullptr && &scheduler->context() == this) {
    scheduler->counters().spawned.add();
    scheduler->enqueue_spawned(fiber);
  } else {
    external_spawned_.fetch_add(1, seq_cst);
    enqueue(fiber);
  }
}

[[gnu::cold, gnu::noinline]] void Context::refuse_to_start(Fiber& fiber) noexcept {
  if (inherited_) refuse_in_child("a fiber is spawned in an execution context of the parent");
  WEFT_PANIC("a fiber is spawned in an execution context that has ended", WEFT_VALUE(fiber.id));
}

void Context::enqueue(Fiber& fiber) noexcept {
  Scheduler* const scheduler = scheduler_of_this_thread();
  if (scheduler != nullptr && &scheduler->context() == this) return scheduler->enqueue_next(fiber);
  enqueue_from_outside(fiber);
}

[[gnu::noinline]] void Context::enqueue_from_outside(Fiber& fiber) noexcept {
  // From the push on the fiber may run, end, and with it the context: the count keeps the destructor out.
  external_callers_.fetch_add(1, relaxed);
  global_enqueues_.add();
  global_queue_.push(fiber);
  notify();
  external_callers_.fetch_sub(1, release);
}

void Context::notify() noexcept { wake_for_work(idle_, *event_loop_); }

void Context::wake_everybody() noexcept {
  full_fence();  // as in wake_for_work()
  idle_.wake_all();
  if (idle_.may_be_in_loop()) event_loop_->interrupt();
}

bool Context::has_visible_work() noexcept {
  if (!global_queue_.empty()) return true;
  bool found = false;
  for_each_scheduler([&](Scheduler& scheduler) { found = found || scheduler.has_fibers_to_steal(); });
  return found;
}

void Context::relieve(Scheduler& scheduler) noexcept {
  if (shared_loop_ != nullptr && (idle_.revoke_poll_duty(scheduler) || idle_.poll_duty_free()))
    offer_poll_duty();
  if (alone_) return;
  scheduler.set_stuck(true);
  const bool duty_free = idle_.revoke_poll_duty(scheduler) || idle_.poll_duty_free();
  if (duty_free || scheduler.has_fibers_waiting()) notify();
}

void Context::ask_for_stacks() noexcept {
  for_each_scheduler([](Scheduler& scheduler) { scheduler.ask_for_stacks(); });
  wake_everybody();
}

void Context::run() noexcept {
  WEFT_ASSERT(uses_calling_thread_, "run() of a context that has threads of its own");
  schedulers_[0].load(relaxed)->run();
}

void Context::offer_poll_duty() noexcept {
  if (shared_loop_ != nullptr) shared_loop_->offer_duty();
}

ContextCounters Context::counters() const noexcept {
  ContextCounters sum;
  for_each_lane([&](const Context& lane) { lane.add_counters(sum); });
  return sum;
}

EventLoopCounters Context::event_loop_counters() const noexcept {
  EventLoopCounters sum;
  for_each_lane([&](const Context& lane) { sum = sum_of(sum, lane.event_loop_->counters()); });
  return sum;
}

void Context::add_counters(ContextCounters& sum) const noexcept {
  sum.fibers_spawned += external_spawned_.load(relaxed);
  sum.global_enqueues += global_enqueues_.load();
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
    sum.spins += scheduler.park_spin().spins();
    sum.useful_spins += scheduler.park_spin().useful_spins();
    sum.put_off_writes += scheduler.put_off_writes().writes();
    sum.write_batches += scheduler.put_off_writes().batches();
  }
}

}  // namespace weft
