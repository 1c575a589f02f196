// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/counters.hpp>
#include <weft/detail/access.hpp>
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

/// A set of threads and the rules for running fibers on them. The base class of ParallelContext,
/// ConcurrentContext and IsolatedContext.
///
/// The event loop strategy decides where the context's fibers wait and which threads wake them. By default
/// each context has an event loop of its own, and its own threads wake its fibers.
///
/// Thread safety: any thread may call any method. Destruction: cancels the context's fibers, waits until they
/// have ended (a fiber suspends, a plain thread blocks), and stops the threads. BUG if one of its own fibers
/// destroys it.
class ExecutionContext {
 public:
  ExecutionContext(const ExecutionContext&) = delete;
  ExecutionContext& operator=(const ExecutionContext&) = delete;

  /// Starts a fiber in this context. It runs `closure`, a callable without arguments; the handle gives its
  /// result. Like a fiber of spawn(), it may outlive the caller's block: pass references to locals only to
  /// children of a TaskGroup, or to a fiber that is joined at once. Does not suspend. Throws
  /// std::bad_alloc if there is no memory for a stack, and any exception of the closure's constructor.
  template <class F>
  auto spawn(F&& closure, const SpawnOptions& options = {},
             SourceLocation spawned_at = SourceLocation::current()) {
    return detail::spawn_in(spawn_target(), std::forward<F>(closure), options, spawned_at);
  }

  std::string_view name() const noexcept;
  /// The number of threads that run its fibers.
  std::uint32_t parallelism() const noexcept;
  /// The event loop strategy, chosen when the context was made.
  EventLoopStrategy strategy() const noexcept;
  /// Counts for its schedulers and its event loop. If each thread has a loop, the counts are their sums. A
  /// loop that several contexts share has one set of counts for all of them.
  ContextCounters counters() const noexcept;
  EventLoopCounters event_loop_counters() const noexcept;

 protected:
  explicit ExecutionContext(detail::OwnedContext core) noexcept;
  ~ExecutionContext();

  /// Where spawn() goes.
  detail::Context& spawn_target() const noexcept;

  detail::OwnedContext core_;

 private:
  friend struct detail::Access;

  detail::Context& core() const noexcept { return *core_; }
};

/// Options for ParallelContext.
struct ParallelOptions {
  /// The number of threads, 1 to 256. 0: one for each CPU that the affinity and the cgroup quota allow.
  std::uint32_t parallelism = 0;
  /// `nullopt`: the default of the process, see set_default_event_loop_strategy().
  std::optional<EventLoopStrategy> strategy = std::nullopt;
  /// After which time without a suspension a fiber of this context is reported. `nullopt`: as
  /// set_stuck_report_after() says. 0: never, for contexts that compute.
  std::optional<std::chrono::milliseconds> stuck_report_after = std::nullopt;
};

/// N threads that share the work. A fiber may run on any of them; idle threads steal from busy ones.
///
///     weft::ParallelContext workers("workers", {.parallelism = 4});
///     workers.spawn([] { serve(); });
class ParallelContext final : public ExecutionContext {
 public:
  /// Throws std::system_error if threads, descriptors or event loops (4,096 in a process) are used up, the
  /// parallelism is out of range, or the strategy is invalid.
  explicit ParallelContext(std::string name, const ParallelOptions& options = {});

  /// Adds or removes threads. A thread that is removed leaves when its fiber suspends; no fiber is lost. Does
  /// not wait for that. Throws std::system_error like the constructor; the number of threads is then
  /// unchanged.
  void resize(std::uint32_t parallelism);
};

/// Options for ConcurrentContext.
struct ConcurrentOptions {
  /// `nullopt`: the default of the process, see set_default_event_loop_strategy().
  std::optional<EventLoopStrategy> strategy = std::nullopt;
  /// See ParallelOptions::stuck_report_after.
  std::optional<std::chrono::milliseconds> stuck_report_after = std::nullopt;
};

/// One thread. Its fibers run one at a time, never in parallel. Data that only they use needs no lock between
/// two suspensions.
class ConcurrentContext final : public ExecutionContext {
 public:
  /// Throws std::system_error if threads, descriptors or event loops (4,096 in a process) are used up, or the
  /// strategy is invalid.
  explicit ConcurrentContext(std::string name, const ConcurrentOptions& options = {});
};

/// Options for IsolatedContext.
struct IsolatedOptions {
  /// The context in which its spawn() starts fibers. Null: the context of the fiber that makes it.
  ExecutionContext* spawn_context = nullptr;
  /// `nullopt`: the default of the process, see set_default_event_loop_strategy().
  std::optional<EventLoopStrategy> strategy = std::nullopt;
};

/// One fiber that owns one thread. Use it for a GUI main loop, for blocking calls, or for code that must keep
/// its thread. Its I/O suspends as in other contexts; the thread then sleeps in its event loop. spawn() in it
/// starts fibers in its spawn context.
///
///     weft::IsolatedContext gui("gui", [] { run_the_gui_main_loop(); });
///     gui.join().value();
class IsolatedContext final : public ExecutionContext {
 public:
  /// Starts the thread, and runs `closure` on it. The closure's spawn() and spawn() of this object start
  /// fibers in `spawn_context`. Without one they start them in the context of the fiber that makes this
  /// object; on a plain thread that is a BUG. Throws std::system_error if threads, descriptors or event loops
  /// (4,096 in a process) are used up, or the strategy is invalid.
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
        handle_(detail::spawn_in(
            *core_, [closure = std::forward<F>(closure)]() mutable -> void { closure(); },
            SpawnOptions{.name = name}, spawned_at)) {}

  /// Waits until the closure has ended. Throws the exception that escaped from it. Suspends, or blocks a
  /// plain thread. Cancellable: Errc::cancelled, or Errc::timed_out at the deadline of the enclosing scope;
  /// the closure then continues and may be joined again. BUG if it was joined before.
  Result<void> join(SourceLocation called_at = SourceLocation::current()) { return handle_.join(called_at); }
  /// The same with a deadline (Errc::timed_out).
  Result<void> join_until(Deadline deadline, SourceLocation called_at = SourceLocation::current()) {
    return handle_.join_until(deadline, called_at);
  }
  /// Like join(), but neither a cancellation nor the deadline of a scope ends the wait.
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
