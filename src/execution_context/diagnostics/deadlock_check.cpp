// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/deadlock_check.hpp"

#include "base/sanitizers.hpp"
#include "execution_context/context_registry.hpp"
#include "execution_context/diagnostics/fiber_snapshot.hpp"
#include "execution_context/library_thread.hpp"
#include "fiber/join.hpp"
#include "fiber/thread_waiter.hpp"
#include "sys/thread.hpp"

#include <algorithm>

namespace weft {
namespace {

/// Clang's TSan has a thread of its own.
constexpr std::ptrdiff_t kSanitizerThreads = WEFT_TSAN;

template <class T>
bool contains(const std::vector<T>& all, T one) noexcept {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

DeadlockCheck::Answer DeadlockCheck::ask(bool assume_threads_idle) {
  const Pulse before = pulse();
  if (before.awake || !every_fiber_waits_for_others()) return Answer::kAlive;
  const bool threads_wait = assume_threads_idle || every_thread_waits();
  if (!every_fiber_waits_for_others()) return Answer::kAlive;
  return threads_wait && !isolated_runs_ && pulse() == before ? Answer::kDeadlocked : Answer::kUnknown;
}

DeadlockCheck::Pulse DeadlockCheck::pulse() {
  Pulse pulse;
  scheduler_threads_.clear();
  waiting_threads_.clear();
  isolated_.clear();
  ContextRegistry& contexts = ContextRegistry::instance();
  pulse.context_changes = contexts.changes();
  contexts.for_each([&](Context& context) {
    if (context.isolated()) isolated_.push_back(&context);
    context.for_each_scheduler([&](Scheduler& scheduler) {
      pulse.switches += scheduler.ticks();
      pulse.awake = pulse.awake || (scheduler.awake() && !context.isolated());
      scheduler_threads_.push_back(scheduler.thread_id());
    });
  });
  ThreadWaiter::for_each([&](ThreadWaiter& thread) {
    const std::optional<HeldWait> wait = HeldWait::of(thread);
    if (!wait || !wait->internal()) return;
    pulse.thread_epochs += wait->epoch;
    waiting_threads_.push_back(thread.thread_id());
  });
  pulse.threads = waiting_threads_.size();
  return pulse;
}

// Slots of free fibers stay readable, so the witness of the last time can be asked first.
bool DeadlockCheck::every_fiber_waits_for_others() {
  if (witness_ != nullptr && may_go_on(Fiber::in_slot(*witness_))) return false;
  fibers_ = 0;
  isolated_runs_ = false;
  witness_ = nullptr;
  StackPool::process().for_each_slot([this](StackSlot& slot) {
    if (witness_ == nullptr && may_go_on(Fiber::in_slot(slot))) witness_ = &slot;
  });
  return witness_ == nullptr && fibers_ != 0;
}

// By itself, or as something wakes it that is neither a fiber nor a thread; and whoever is told of that is
// awake then. An ended one whose handle is kept is none any more.
bool DeadlockCheck::may_go_on(Fiber& fiber) {
  if (!fiber.try_reference()) return false;
  bool goes_on = false;
  if (!fiber_done(fiber)) {
    ++fibers_;
    const std::optional<HeldWait> wait = HeldWait::of(fiber);
    const bool runs = !wait || !wait->parked;
    const bool isolated = contains<const Home*>(isolated_, fiber.home);
    goes_on = runs ? !isolated : !wait->internal();
    isolated_runs_ = isolated_runs_ || (runs && isolated);  // nobody is told when it sleeps: asked again
  }
  fiber.release(StackPool::process(), nullptr);
  return goes_on;
}

bool DeadlockCheck::every_thread_waits() const {
  const auto threads = sys::process_threads();
  if (!threads) return false;
  return std::count_if(threads->begin(), threads->end(), [this](int id) { return !accounted_for(id); }) <=
         kSanitizerThreads;
}

bool DeadlockCheck::accounted_for(int thread_id) const {
  return contains(scheduler_threads_, thread_id) || contains(waiting_threads_, thread_id) ||
         LibraryThread::is_one(thread_id);
}

}  // namespace weft
