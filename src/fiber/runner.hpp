// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the layers below the schedulers see of them: a `Runner` is one thread that runs fibers, a `Home` is
// where a runnable fiber is enqueued. Execution contexts implement both.

#include "base/detail_names.hpp"
#include "base/sanitizers.hpp"

#include <cstdint>
#include <string_view>

#ifndef WEFT_RUNNER_BY_ASM  // 0: the model checker's, which has a runner of its own
#if defined(__x86_64__) && defined(__LP64__) && !WEFT_ASAN && !WEFT_TSAN
#define WEFT_RUNNER_BY_ASM 1
#else
#define WEFT_RUNNER_BY_ASM 0
#endif
#endif

namespace weft {

class EventLoop;
class Network;
class StackCache;
class WriteBatch;

/// How reports call a home.
struct HomeName {
  std::string_view name = {};  ///< empty: nobody's in particular
  std::int32_t thread = -1;    ///< which of its threads, if fibers are pinned to them
};

/// Where the fibers of an execution context are enqueued. Outlives all of its fibers.
class Home {
 public:
  /// Makes `fiber` runnable here; exactly once per suspension. Any thread; never switches (S1).
  virtual void enqueue(Fiber& fiber) noexcept = 0;

  /// Any thread, while it is alive.
  virtual HomeName name_in_reports() const noexcept { return {}; }

 protected:
  ~Home() = default;
};

/// A thread that runs fibers. All members are called on that thread, by its current fiber.
class Runner {
 public:
  /// Leaves the current fiber until it is enqueued again; it may continue on another thread.
  virtual void suspend() noexcept = 0;
  /// Enqueues the current fiber behind the other runnable ones of its queue and suspends.
  virtual void yield() noexcept = 0;
  /// A yield of the library's own: between portions of long work, or at the end of a budget. A fiber that
  /// must not yield, as in a child of fork(), goes on.
  virtual void let_others_run() noexcept { yield(); }
  /// With one operation left: whether the fiber has to yield after it. False: that is the end of a part only.
  virtual bool budget_is_over() const noexcept { return true; }
  /// The budget is spent: true, after a yield, if it is over; else the next part begins.
  virtual bool budget_spent() noexcept { return let_others_run(), true; }
  /// Leaves the current fiber for good; its memory is released by whoever runs next on this thread.
  [[noreturn]] virtual void finish() noexcept = 0;

  /// Called once by a new fiber, first thing on its stack: what follows every switch (recycling the
  /// fiber that finished before it).
  virtual void entered() noexcept = 0;

  /// Arms the timer of the current fiber for its `deadline_ns`, in the event loop of this thread.
  virtual void arm_timer(Waiter& waiter) noexcept = 0;
  /// Takes the timer of a fiber that ends off the event loop's timers.
  virtual void disarm_timer(Waiter& waiter) noexcept = 0;

  Home* home = nullptr;             ///< the context whose fibers this thread runs
  Fiber* current = nullptr;         ///< the fiber that runs on this thread; null on the root stack
  EventLoop* event_loop = nullptr;  ///< where this thread's fibers wait; set by attach()
  Network* network = nullptr;       ///< of the simulated world that they live in; null: the kernel's
  /// Operations that the current fiber may still do before it yields (L12). Set anew at each switch.
  std::uint32_t budget = 1;
  StackCache* stacks = nullptr;  ///< free stacks of this thread
  WriteBatch* writes = nullptr;  ///< writes that were put off; null: none are
  /// The state of a select's choices; each runner starts alike, so that a simulation repeats itself.
  std::uint32_t random_state = 1;

 protected:
  ~Runner() = default;
};

/// The runner of the calling thread, null on a plain thread. A fiber that was suspended may be on another
/// thread, so neither the address nor the value of the thread-local may be kept over a switch: it is read by
/// an asm that the compiler cannot see through, two instructions; elsewhere out of line, by an opaque
/// function.
#if WEFT_RUNNER_BY_ASM
[[gnu::always_inline]] inline Runner* this_runner() noexcept {
  Runner* runner = nullptr;
  asm volatile("movq weft_current_runner@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(runner)::"memory");
  return runner;
}
#else
Runner* this_runner() noexcept;
#endif
void set_this_runner(Runner* runner) noexcept;

/// The fiber that is calling, null on a plain thread or a scheduler's root stack.
Fiber* this_fiber_or_null() noexcept;

/// The fiber that is calling. BUG if there is none: `call` is named.
Fiber& this_fiber_required(const char* call) noexcept;

}  // namespace weft
