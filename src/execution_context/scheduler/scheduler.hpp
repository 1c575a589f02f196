// SPDX-License-Identifier: Apache-2.0
#pragma once

// One thread of an execution context: its local queue, and the loop that runs fibers
// (docs/design/scheduler.md).
//
// A fiber that suspends picks the next one itself and switches to it directly; only when there is none, or
// something else is due, it switches to the root stack, where the scheduler looks further: the context's
// queue, the siblings' queues, the event loop, sleep. Nothing ever waits on a fiber's stack (P3).
//
// Thread safety: the scheduler's own thread, but for what says otherwise.
// Laws: S1 enqueue() never switches; S2 no lost wake-up, see idle.hpp; S3 a fiber is resumed only after its
// `saved` was seen; S4 local queue and run-next slot; L12 the global queue and the event loop are looked at
// within a bound.

#include "base/detail_names.hpp"
#include "event_loop/loop_counters.hpp"
#include "event_loop/write_batch/write_batch.hpp"
#include "execution_context/idle/idle.hpp"
#include "execution_context/idle/park_spin.hpp"
#include "execution_context/scheduler/batch_worth.hpp"
#include "execution_context/scheduler/pace.hpp"
#include "execution_context/scheduler/ring_marks.hpp"
#include "execution_context/scheduler/run_queue.hpp"
#include "execution_context/scheduler/spawn_stack.hpp"
#include "fiber/fiber.hpp"
#include "fiber/runner.hpp"

#include <cstdint>
#include <thread>

namespace weft {

/// What the monitor remembers of a scheduler. Its own.
struct MonitorRecord {
  std::uint64_t ticks = 0;
  std::int64_t since_ns = 0;  ///< when it was first seen with these ticks
  bool stuck = false;
  bool reported = false;
};

/// The live form of a scheduler's share of ContextCounters. Written by its thread.
struct SchedulerCounters {
  OwnedCounter spawned;
  OwnedCounter local_enqueues;
  OwnedCounter overflows;
  OwnedCounter steals;
  OwnedCounter stolen_fibers;
  OwnedCounter parks;
  OwnedCounter unparks;
  Atomic<std::uint64_t> finished{0};  // a release: see Context::all_finished()
};

class Scheduler final : public Runner, public IdleThread {
 public:
  Scheduler(Context& context, std::uint32_t index) noexcept;

  /// Runs fibers on the calling thread until the scheduler has to leave.
  void run() noexcept;

  // -- Runner
  void suspend() noexcept override;
  void yield() noexcept override;
  void let_others_run() noexcept override;
  bool budget_is_over() const noexcept override;
  bool budget_spent() noexcept override;
  [[noreturn]] void finish() noexcept override;
  void entered() noexcept override;
  void arm_timer(Waiter& waiter) noexcept override;
  void disarm_timer(Waiter& waiter) noexcept override;

  /// Enqueues a fiber of this context that was woken by the current one: it runs next (S4).
  void enqueue_next(Fiber& fiber) noexcept;
  /// The same for one that was spawned; the one that would have run next stays newer than what was spawned
  /// before.
  void enqueue_spawned(Fiber& fiber) noexcept;
  /// Enqueues behind the others.
  void enqueue_last(Fiber& fiber) noexcept;

  Context& context() noexcept { return context_; }
  std::uint32_t index() const noexcept { return index_; }
  SchedulerCounters& counters() noexcept { return counters_; }

  // -- any thread
  /// Switches so far; stands still while the thread is stuck in one fiber, or sleeps.
  std::uint64_t ticks() const noexcept { return ticks_.load(relaxed); }
  /// The fiber that runs now, null if none; only good to be compared, or tried to be referenced.
  Fiber* running() const noexcept { return running_.load(relaxed); }
  /// The monitor's word that this scheduler is stuck in a fiber: siblings may take its run-next slot too
  /// (S8).
  void set_stuck(bool stuck) noexcept { stuck_.store(stuck, relaxed); }
  /// Makes it look at the clock when it switches next.
  void look_soon() noexcept { look_at_.store(0, relaxed); }
  /// Something that a sibling could take.
  bool has_fibers_to_steal() const noexcept { return !run_queue_.empty() || !spawn_stack_.empty(); }
  /// The same, now that the scheduler is stuck.
  bool has_fibers_waiting() const noexcept {
    return has_fibers_to_steal() || run_next_.load(relaxed) != nullptr;
  }
  /// Whether a thread runs this scheduler and is awake.
  bool awake() const noexcept { return thread_id_.load(seq_cst) != 0 && !asleep_.load(seq_cst); }
  /// Takes half of this scheduler's fibers for `thief`, the run-next slot of a stuck one included. Called by
  /// the thief.
  Fiber* steal_for(Scheduler& thief) noexcept;
  const ParkSpin& park_spin() const noexcept { return park_spin_; }
  /// In a child of fork(): has no fibers left, and no thread but perhaps the calling one.
  void become_inherited() noexcept;
  /// Writes that its fibers have put off.
  WriteBatch& put_off_writes() noexcept { return writes_; }
  /// Its thread is to leave its free stacks to the pool before it sleeps next. By the monitor.
  void ask_for_stacks() noexcept { asked_for_stacks_.store(has_thread(), relaxed); }
  bool asked_for_stacks() const noexcept { return asked_for_stacks_.load(acquire); }
  /// The kernel's id of the thread while run() runs, else 0.
  int thread_id() const noexcept { return thread_id_.load(relaxed); }

  MonitorRecord monitor_record;

 private:
  // -- picking (scheduler.cpp)
  friend void yield() noexcept;
  void yield_inline() noexcept;
  void yield_behind_all() noexcept;
  void suspend_inline() noexcept;
  void stay() noexcept;
  Fiber* pick() noexcept;
  Fiber* pick_after_look() noexcept;
  Fiber* pick_local() noexcept;
  Fiber* pick_instead_of(Fiber* next) noexcept;
  Fiber* exchange_next(Fiber* fiber) noexcept;
  [[gnu::always_inline]] Fiber* pop() noexcept {
    Fiber* const fiber = alone_ ? run_queue_.pop_alone() : run_queue_.pop();
    return fiber == nullptr && overflowed() ? refill() : fiber;
  }
  Fiber* refill() noexcept;
  Fiber* pop_spawned() noexcept;
  bool spawn_stack_used() const noexcept { return (aside_ & kSpawned) != 0; }
  bool overflowed() const noexcept { return (aside_ & kOverflowed) != 0; }
  bool look_is_due() const noexcept { return ticks_.load(relaxed) >= look_at_.load(relaxed); }
  bool look_around() noexcept;
  bool something_is_due(std::int64_t now_ns, bool counted) noexcept;
  /// Fibers run from now on: the time before was not theirs, and nothing is late.
  void start_after_sleep(std::int64_t now_ns) noexcept {
    pace_.start(ticks(), now_ns);
    served_ns_ = now_ns;
  }
  static bool runs_long(const Fiber& fiber) noexcept { return fiber.long_runs.load(relaxed) >= kLongRuns; }
  static void note_run(Fiber& fiber, std::int64_t took_ns) noexcept;
  void give_up_poll_duty() noexcept;
  void tick() noexcept { ticks_.store(ticks_.load(relaxed) + 1, relaxed); }
  void set_running(Fiber* fiber) noexcept;
  void switch_from(Flow& flow, Fiber* next, bool ends) noexcept;
  void after_switch() noexcept {
    if (zombie_ != nullptr) release_zombie();
  }
  void release_zombie() noexcept;
  void push(Fiber& fiber) noexcept;
  void push_woken(Fiber& fiber) noexcept;
  void push_behind_all(Fiber& fiber) noexcept;
  void push_first(FiberQueue& woken) noexcept;
  void push_and_notify(Fiber& fiber) noexcept;
  void overflow(Fiber& fiber) noexcept;

  // -- the root stack (scheduler_root.cpp)
  Fiber* next_from_root() noexcept;
  void serve_what_is_due() noexcept;
  std::size_t overdue_batch() const noexcept;
  void resume(Fiber& fiber) noexcept;
  Fiber* take_global() noexcept;
  void take_from_global(FiberQueue& taken, std::size_t count_max) noexcept;
  Fiber* found(Fiber* fiber) noexcept;
  bool end_search() noexcept;
  Fiber* search() noexcept;
  Fiber* search_once() noexcept;
  void sleep() noexcept;
  void poll_and_block() noexcept;
  bool poll_now(FiberQueue& woken) noexcept;
  bool came_out(std::size_t count, std::int64_t now_ns) noexcept;
  void leave_loop(bool worth_a_sibling) noexcept;
  void end_poll(bool keep) noexcept;
  void park() noexcept;
  void fall_asleep() noexcept { asleep_.store(true, relaxed); }
  void wake_up() noexcept;
  bool leaving() const noexcept;
  void leave() noexcept;
  bool has_thread() const noexcept { return thread_id_.load(relaxed) != 0; }
  void leave_stacks() noexcept;

  static constexpr std::uint32_t kOldestInterval =
      16;  // times that something is due, between those at the oldest spawned
  static constexpr std::int64_t kTurnNs =
      250'000;  // of operations without a wait before a fiber yields (L12)
  static constexpr std::uint32_t kNextStreakMax =
      16;                                       // newest-first picks in a row before the ring gets one (S4)
  static constexpr std::uint32_t kBudget = 64;  // operations without a wait before a fiber yields (L12)
  static constexpr std::uint32_t kBudgetPart = 8;  // of them, before it is looked how long they took
  static constexpr std::uint8_t kLongRuns = 2;     // that a fiber made in a row is known to run long

  static constexpr std::uint8_t kSpawned = 1;     // the spawn stack was pushed to since it was found empty
  static constexpr std::uint8_t kOverflowed = 2;  // the ring ran over: the context's queue is its end (S4)

  Context& context_;
  const std::uint32_t index_;
  const bool alone_;

  // Written by this thread.
  Flow root_;
  Fiber* handoff_ = nullptr;  // picked on a fiber's stack, to be resumed from the root stack
  Fiber* zombie_ = nullptr;   // finished, still to be released by whoever runs next here
  std::uint32_t next_streak_ = 0;
  std::uint8_t aside_ = 0;  // what is runnable beside ring and slot: kSpawned, kOverflowed
  bool due_ = false;        // the root stack has to serve what is due
  bool poll_due_ = false;   // the event loop, too
  bool overdue_ = false;    // by time, not by count
  std::uint32_t dues_ = 0;  // with something on the spawn stack
  RingMarks marks_;
  Pace pace_;
  std::int64_t served_ns_ = 0;  // when what is due was served last
  std::uint64_t turn_ = 0;      // the tick in which parts of a budget are counted
  std::uint32_t parts_ = 0;
  std::uint32_t victim_ = 0;
  bool searching_ = false;
  BatchWorth batch_worth_;
  ParkSpin park_spin_;
  StackCache stack_cache_;
  WriteBatch writes_;
  SchedulerCounters counters_;

  // Written by this thread, read by others.
  alignas(kCacheLine) Atomic<Fiber*> run_next_{nullptr};  // taken by thieves only from a stuck scheduler
  Atomic<std::uint64_t> ticks_{0};
  Atomic<std::uint64_t> look_at_{0};  // from these ticks on the clock is looked at; 0 by the monitor
  Atomic<Fiber*> running_{nullptr};
  Atomic<bool> asleep_{false};
  Atomic<int> thread_id_{0};
  Atomic<bool> stuck_{false};             // written by the monitor
  Atomic<bool> asked_for_stacks_{false};  // the same, and taken back by this thread

  RunQueue run_queue_;
  SpawnStack spawn_stack_;
};

}  // namespace weft
