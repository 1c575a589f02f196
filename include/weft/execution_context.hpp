// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/counters.hpp>
#include <weft/event_loop_strategy.hpp>
#include <weft/join_handle.hpp>
#include <weft/source_location.hpp>
#include <weft/spawn_options.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

namespace detail {
struct DeleteContext {
  void operator()(Context* core) const noexcept;
};
using OwnedContext = std::unique_ptr<Context, DeleteContext>;
}  // namespace detail

/// A set of threads and the rules for running fibers on them. The base of ParallelContext, ConcurrentContext
/// and IsolatedContext.
///
/// Where its fibers wait, and which threads wake them, is its event loop strategy; by default each context
/// has an event loop of its own, and its own threads wake its fibers. Thread safety: all methods, any thread.
/// Destruction: cancels the context's fibers, waits until they have ended (a fiber suspends, a plain thread
/// blocks), and stops its threads. A context is never destroyed by one of its own fibers (BUG).
class ExecutionContext {
 public:
  ExecutionContext(const ExecutionContext&) = delete;
  ExecutionContext& operator=(const ExecutionContext&) = delete;

  /// Starts a fiber here that runs `closure`, a callable without arguments; its result comes with the handle.
  /// As with spawn(), a fiber may outlive the caller's block: lend locals only to children of a TaskGroup, or
  /// to a fiber that is joined at once. Does not suspend. Throws std::bad_alloc if there is no memory for a
  /// stack, and what constructing the closure throws.
  template <class F>
  auto spawn(F&& closure, const SpawnOptions& options = {},
             SourceLocation spawned_at = SourceLocation::current()) {
    return spawn_in(spawn_target(), std::forward<F>(closure), options, spawned_at);
  }

  std::string_view name() const noexcept;
  /// How many threads run its fibers.
  std::uint32_t parallelism() const noexcept;
  /// How it waits for files; chosen when it was made.
  EventLoopStrategy strategy() const noexcept;
  /// What its schedulers and its event loop have done so far. The loops of its threads are summed up;
  /// one that several contexts share counts for all of them.
  ContextCounters counters() const noexcept;
  EventLoopCounters event_loop_counters() const noexcept;

  /// The internals, for this library.
  Context& core() const noexcept { return *core_; }

 protected:
  explicit ExecutionContext(detail::OwnedContext core) noexcept;
  ~ExecutionContext();

  /// Where spawn() goes.
  Context& spawn_target() const noexcept;

  detail::OwnedContext core_;
};

/// How a ParallelContext is made.
struct ParallelOptions {
  /// Threads, 1 to 256. 0: as many as the process has CPUs, affinity and cgroup quota considered.
  std::uint32_t parallelism = 0;
  /// None: the process's default, see set_default_event_loop_strategy().
  std::optional<EventLoopStrategy> strategy = std::nullopt;
  /// When a fiber here that does not suspend is reported: none is what set_stuck_report_after() says, 0 is
  /// never. For pools that compute.
  std::optional<std::chrono::milliseconds> stuck_report_after = std::nullopt;
};

/// N threads that share the work: a fiber may run on any of them, idle ones steal from busy ones.
///
///     weft::ParallelContext workers("workers", {.parallelism = 4});
///     workers.spawn([] { serve(); });
class ParallelContext final : public ExecutionContext {
 public:
  /// Throws std::system_error when threads, descriptors or event loops (4,096 in a process) are used up,
  /// parallelism is out of range, or the strategy makes no sense.
  explicit ParallelContext(std::string name, const ParallelOptions& options = {});

  /// Adds threads, or retires some: those leave when their fibers suspend, and no fiber is
  /// lost. Does not wait for that. Throws std::system_error as the constructor does, and then has as many
  /// threads as before.
  void resize(std::uint32_t parallelism);
};

/// How a ConcurrentContext is made.
struct ConcurrentOptions {
  /// None: the process's default, see set_default_event_loop_strategy().
  std::optional<EventLoopStrategy> strategy = std::nullopt;
  /// As ParallelOptions::stuck_report_after.
  std::optional<std::chrono::milliseconds> stuck_report_after = std::nullopt;
};

/// One thread: its fibers run one at a time, never in parallel with each other, so what only they use needs
/// no lock between two suspensions.
class ConcurrentContext final : public ExecutionContext {
 public:
  /// Throws std::system_error when threads, descriptors or event loops (4,096 in a process) are used up, or
  /// the strategy makes no sense.
  explicit ConcurrentContext(std::string name, const ConcurrentOptions& options = {});
};

/// How an IsolatedContext is made.
struct IsolatedOptions {
  /// Where its spawn() goes; null: the context of the fiber that makes it.
  ExecutionContext* spawn_context = nullptr;
  /// None: the process's default, see set_default_event_loop_strategy().
  std::optional<EventLoopStrategy> strategy = std::nullopt;
};

/// One fiber that owns one thread: for a GUI main loop, blocking calls, or code that needs its thread to
/// itself. Its I/O suspends as everywhere (the thread then sleeps in its event loop); spawn() in it goes to
/// its spawn context.
///
///     weft::IsolatedContext gui("gui", [] { run_the_gui_main_loop(); });
///     gui.join().value();
class IsolatedContext final : public ExecutionContext {
 public:
  /// Starts the thread and `closure` on it. What the closure spawns, and spawn() of this object, goes to
  /// `spawn_context`; without one to the context of the fiber that makes the isolated one, and on a plain
  /// thread that is a BUG. Throws std::system_error when threads, descriptors or event loops (4,096 in a
  /// process) are used up, or the strategy makes no sense.
  template <class F>
  IsolatedContext(std::string name, F&& closure, SourceLocation spawned_at = SourceLocation::current())
      : IsolatedContext(std::move(name), IsolatedOptions{}, std::forward<F>(closure), spawned_at) {}
  template <class F>
  IsolatedContext(std::string name, ExecutionContext& spawn_context, F&& closure,
                  SourceLocation spawned_at = SourceLocation::current())
      : IsolatedContext(std::move(name), IsolatedOptions{.spawn_context = &spawn_context},
                        std::forward<F>(closure), spawned_at) {}
  template <class F>
  IsolatedContext(std::string name, const IsolatedOptions& options, F&& closure,
                  SourceLocation spawned_at = SourceLocation::current())
      : ExecutionContext(make_core(name, options)),
        handle_(spawn_in(
            *core_, [closure = std::forward<F>(closure)]() mutable -> void { closure(); },
            SpawnOptions{.name = name}, spawned_at)) {}

  /// Waits for the closure to end; throws the exception that escaped from it. Suspends, or blocks a plain
  /// thread. Cancellable: Errc::cancelled, or Errc::timed_out at the deadline of the scope around it; the
  /// closure then goes on and may be joined again. BUG if it was joined before.
  Result<void> join(SourceLocation called_at = SourceLocation::current()) { return handle_.join(called_at); }
  /// The same, given up also at the deadline (Errc::timed_out).
  Result<void> join_until(Deadline deadline, SourceLocation called_at = SourceLocation::current()) {
    return handle_.join_until(deadline, called_at);
  }
  /// As join(), however long that takes: neither a cancel nor a scope's deadline ends the wait.
  void join_uncancellable(SourceLocation called_at = SourceLocation::current()) {
    handle_.join_uncancellable(called_at);
  }
  /// Asks the closure's fiber to stop, see JoinHandle::cancel().
  void cancel() noexcept { handle_.cancel(); }

 private:
  static detail::OwnedContext make_core(const std::string& name, const IsolatedOptions& options);

  JoinHandle<void> handle_;
};

}  // namespace weft
