// SPDX-License-Identifier: Apache-2.0
#pragma once

// The core of every execution context: schedulers, the queue for everybody else, one event loop, and the
// context's end. Parallel, concurrent and isolated contexts are this with different options
// (docs/design/contexts.md).
//
// Thread safety: any thread, unless a method says otherwise.
// Life: open -> closing (fibers are cancelled, new ones are born cancelled) -> drained (no fiber is left) ->
// stopped (no thread is left) -> destroyed. Guarantees: S6 with one scheduler no two fibers run at the same
// time; S7 no fiber is lost when schedulers leave.

#include "base/detail_names.hpp"
#include "event_loop/event_loop.hpp"
#include "execution_context/idle/idle.hpp"
#include "execution_context/scheduler/global_queue.hpp"
#include "execution_context/scheduler/scheduler.hpp"
#include "fiber/fiber.hpp"

#include <weft/counters.hpp>
#include <weft/event_loop_strategy.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace weft {

class ContextLanes;
class ContextRegistry;
class SharedLoop;
struct DebuggerLayout;

/// What a context is made with.
struct ContextOptions {
  std::string name;
  std::uint32_t parallelism = 1;
  bool resizable = false;
  bool uses_calling_thread = false;  ///< the first scheduler has no thread of its own: run() lends it one
  bool isolated = false;             ///< its fiber may keep its thread as long as it likes
  Context* lane_of = nullptr;        ///< the first of the lanes that this one is added to
  std::uint32_t lane = 0;            ///< its place among them
  std::optional<EventLoopStrategy> strategy = std::nullopt;  ///< none: the process's default
  /// None: the process's; 0: never.
  std::optional<std::chrono::milliseconds> stuck_report_after = std::nullopt;
  std::unique_ptr<EventLoop> event_loop = nullptr;  ///< null: the platform's, as the strategy says
};

/// What the monitor remembers of a context that is being closed. Its own.
struct ClosingRecord {
  std::int64_t since_ns = 0;
  bool reported = false;
};

namespace detail {

class Context final : public Home, public ListNode<ContextRegistry> {
 public:
  static constexpr std::uint32_t kParallelismMax = 256;

  /// Starts the threads. Throws std::system_error when the process has no more descriptors or threads.
  explicit Context(ContextOptions options);
  /// Closes, waits until drained (a fiber suspends, a plain thread blocks), stops. BUG in a fiber of its own.
  ~Context();

  // -- fibers
  /// A fiber on a stack of the pool; throws std::bad_alloc when there is none. start() it, or release it
  /// twice.
  Fiber& create_fiber(FiberOptions options);
  /// Makes a created fiber runnable here.
  void start(Fiber& fiber) noexcept;
  void enqueue(Fiber& fiber) noexcept override;
  HomeName name_in_reports() const noexcept override {
    return {name_, leader_->lanes_ == nullptr ? -1 : static_cast<std::int32_t>(lane_)};
  }

  // -- threads
  /// Runs fibers on the calling thread, as the first scheduler, until the context is drained.
  /// REQUIRES: uses_calling_thread.
  void run() noexcept;
  /// How many threads there are, in all lanes.
  std::uint32_t thread_count() const noexcept;
  /// Starts or retires schedulers until there are `parallelism`. A retired one leaves when its current fiber
  /// suspends. REQUIRES: resizable; 1 <= parallelism <= kParallelismMax. Throws std::system_error; also if
  /// lanes would have to go.
  void resize(std::uint32_t parallelism);
  std::uint32_t parallelism() const noexcept { return parallelism_.load(acquire); }

  // -- the end
  /// Cancels all fibers; those spawned from now on are cancelled at birth.
  void close() noexcept;
  /// The same when the function given to run() has returned: detached fibers that have not started are not
  /// started any more. They may hold references to what that function had.
  void close_after_main() noexcept;
  bool closing() const noexcept { return closing_.load(seq_cst); }
  /// By a fiber that comes to life in a closing context.
  void start_closing(Fiber& fiber) noexcept;
  /// Waits until no fiber is left; REQUIRES: closed.
  void wait_until_drained() noexcept;
  bool drained() const noexcept { return drained_.load(acquire); }

  // -- for its schedulers
  /// Never has a second scheduler: nobody steals, nobody parks, and the local queue needs no
  /// read-modify-write.
  bool alone() const noexcept { return alone_; }
  GlobalQueue& global_queue() noexcept { return global_queue_; }
  IdleSet& idle() noexcept { return idle_; }
  /// How many schedulers there ever were; scheduler(i) is one of them.
  std::uint32_t scheduler_count() const noexcept { return scheduler_count_.load(acquire); }
  Scheduler& scheduler(std::uint32_t index) noexcept { return *schedulers_[index].load(relaxed); }
  /// Scheduler `index` was retired. A hint: may_leave() decides.
  bool retired(std::uint32_t index) const noexcept { return index >= parallelism_.load(relaxed); }
  bool has_visible_work() noexcept;
  /// Work was published: wakes somebody to look for it, unless somebody looks already.
  void notify() noexcept;
  /// The poll duty was freed, and others than this context's threads may have to take it up.
  void offer_poll_duty() noexcept;
  /// Whether a thread may keep the duty while it runs a fiber: somebody watches it.
  bool may_keep_poll_duty() const noexcept { return !isolated_ || shared_loop_ == nullptr; }
  /// By a scheduler that is about to sleep or to leave: the last of a closing context's fibers may have
  /// ended.
  void look_whether_drained() noexcept;

  // -- looking in
  std::string_view name() const noexcept { return name_; }
  EventLoopStrategy strategy() const noexcept { return strategy_; }
  std::optional<std::chrono::milliseconds> stuck_report_after() const noexcept { return stuck_report_after_; }
  EventLoop& event_loop() noexcept { return *event_loop_; }
  ContextCounters counters() const noexcept;
  EventLoopCounters event_loop_counters() const noexcept;
  std::uint32_t lane() const noexcept { return lane_; }
  /// The context that the user knows, of which this is a lane.
  const Context& leader() const noexcept { return *leader_; }
  /// Where spawn() in a fiber of this context goes: itself, but for an isolated one.
  bool isolated() const noexcept { return isolated_; }
  Context& spawn_context() noexcept { return *spawn_context_; }
  /// For who shares a loop: unparks one thread, if one is parked.
  bool wake_one() noexcept { return idle_.wake_one(); }
  void set_spawn_context(Context& context) noexcept { spawn_context_ = &context; }
  /// By the monitor: `scheduler` is stuck in a fiber. Its siblings get its fibers, the run-next slot
  /// included, and its poll duty (S8, S11). A context that never has siblings is left alone.
  void relieve(Scheduler& scheduler) noexcept;
  /// By the monitor: its threads are woken, and leave their free stacks to the pool before they sleep again.
  void ask_for_stacks() noexcept;
  ClosingRecord closing_record;
  /// In a child of fork(), before it has a second thread: the context was the parent's, and does nothing
  /// here.
  void become_inherited() noexcept;
  bool inherited() const noexcept { return inherited_; }

  /// Calls `visit(Scheduler&)` for each scheduler there ever was.
  template <class Visit>
  void for_each_scheduler(Visit&& visit) {
    const std::uint32_t count = scheduler_count();
    for (std::uint32_t i = 0; i < count; ++i) visit(scheduler(i));
  }

 private:
  friend struct weft::DebuggerLayout;

  void enqueue_from_outside(Fiber& fiber) noexcept;
  void wake_everybody() noexcept;

  // -- lanes: of each there are several only in the context that leads them
  template <class Visit>
  void for_each_lane(Visit&& visit) const;
  void add_lanes(std::uint32_t until, std::vector<std::unique_ptr<Context>>& added);
  bool owns(const Fiber& fiber) const noexcept;
  bool owns_mark(std::uint32_t mark) const noexcept;
  void start_here(Fiber& fiber) noexcept;
  [[noreturn]] void refuse_to_start(Fiber& fiber) noexcept;
  void add_counters(ContextCounters& sum) const noexcept;

  void add_scheduler();
  void start_thread(std::uint32_t index);
  void retire_above(std::uint32_t parallelism) noexcept;
  void thread_main(Scheduler& scheduler) noexcept;
  bool may_leave(Scheduler& scheduler) noexcept;
  bool all_finished() noexcept;
  void cancel_fibers() noexcept;
  void end() noexcept;
  void stop_threads() noexcept;

  const std::string name_;
  const bool resizable_;
  const EventLoopStrategy strategy_;
  const std::optional<std::chrono::milliseconds> stuck_report_after_;
  const bool alone_;
  const bool uses_calling_thread_;
  const bool isolated_;
  bool inherited_ = false;
  const std::shared_ptr<SharedLoop> shared_loop_;    // null if the loop is this context's own
  const std::unique_ptr<EventLoop> own_event_loop_;  // null if it is shared
  EventLoop* const event_loop_;
  Context* const leader_;  // this, but for the second lane and later ones
  const std::uint32_t lane_;
  std::unique_ptr<ContextLanes> lanes_;  // of a leader of lanes; else null
  Context* spawn_context_;

  // Written when schedulers come and go; append-only until the end.
  Atomic<Scheduler*> schedulers_[kParallelismMax] = {};
  // Guarded by resize_lock_: an active thread has not decided to leave yet, and stays if it need not any
  // more.
  std::thread threads_[kParallelismMax];
  bool active_[kParallelismMax] = {};
  Atomic<std::uint32_t> scheduler_count_{0};  // schedulers that exist; the first `parallelism_` of them run
  Atomic<std::uint32_t> parallelism_{0};
  std::mutex resize_lock_;  // never held in a fiber that suspends

  // Written by everybody who submits from outside.
  alignas(kCacheLine) GlobalQueue global_queue_;
  Atomic<std::uint64_t> external_spawned_{0};
  Atomic<std::uint32_t> external_callers_{0};  // inside enqueue(): the destructor waits for them
  SharedCounter global_enqueues_;

  // Written by each poll.
  alignas(kCacheLine) IdleSet idle_;
  static_assert(sizeof(IdleSet) % kCacheLine == 0 && alignof(IdleSet) == kCacheLine,
                "what polls write would share a line with what each fiber reads at its start");

  // The end. Read by each fiber at its start, written once.
  alignas(kCacheLine) Atomic<bool> closing_{false};
  Atomic<bool> main_returned_{false};  // written before closing_
  Atomic<bool> drained_{false};
  SpinLock drain_lock_;
  WaitList drain_waiters_;  // guarded by drain_lock_
};

}  // namespace detail

using detail::Context;

/// The context whose fiber is calling; null outside.
Context* current_context() noexcept;

}  // namespace weft
