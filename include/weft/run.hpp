// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/event_loop_strategy.hpp>
#include <weft/join_handle.hpp>
#include <weft/source_location.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {

class StopOn;

/// Options for run() and its default context.
struct RunOptions {
  /// The number of threads of the default context, the calling thread included, 1 to 256. 0: one for each CPU
  /// that the affinity and the cgroup quota allow.
  std::uint32_t parallelism = 1;
  /// The strategy of the default context, and of every context that is made during the run without one.
  /// `nullopt`: as set_default_event_loop_strategy() or the environment variable WEFT_STRATEGY says, else
  /// `lifetime`.
  std::optional<EventLoopStrategy> strategy = std::nullopt;
  /// See ParallelOptions::stuck_report_after.
  std::optional<std::chrono::milliseconds> stuck_report_after = std::nullopt;
  /// Signals of the operating system that end the program gracefully, usually {SIGINT, SIGTERM}. The first
  /// one cancels a CancelScope around `main`: every cancellable wait in `main`, and in the children of its
  /// groups, fails with Errc::cancelled. The second one does what it does by default, that is, it kills the
  /// process, which then ends with the status of that signal. Works from the beginning of run() to its end,
  /// whichever thread gets the signal. Throws std::system_error for a signal that no SignalSet can wait for.
  std::vector<int> stop_on = {};
};

namespace detail {

/// The scope around main that the signals of RunOptions::stop_on end. In the main fiber.
class StopScope {
 public:
  /// Null: there is none.
  explicit StopScope(StopOn* stop) noexcept;
  ~StopScope();
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;

 private:
  StopOn* const stop_;
};

/// The default context, on the calling thread.
class MainContext {
 public:
  explicit MainContext(const RunOptions& options);
  ~MainContext();
  MainContext(const MainContext&) = delete;
  MainContext& operator=(const MainContext&) = delete;

  Context& core() noexcept;
  /// Runs fibers until close() was called and no fiber is left.
  void run() noexcept;
  /// Called by the main fiber when its function has returned or thrown.
  void close() noexcept;
  /// Null: no signals stop it.
  StopOn* stop_on() noexcept { return stop_on_; }

 private:
  StopOn* stop_on_ = nullptr;
  std::optional<EventLoopStrategy> default_before_;
  Context* core_;
};

}  // namespace detail

/// Runs `main` as a fiber of the default context, a ParallelContext named "default". The calling thread is
/// its first thread. When `main` has returned, the remaining fibers of the context are cancelled and joined.
/// Then run() returns the value of `main`, or 0 if it has none, or throws the exception that escaped from it.
///
/// A detached fiber (its handle is gone) that has not started when `main` returns is never started: its
/// closure is destroyed. A detached fiber that has started may outlive the locals of `main`: pass references
/// to them only to children of a TaskGroup, or to fibers that `main` joins.
///
/// After run() one epoll_wait of the calling thread may end with EINTR although no signal came, if writes
/// were delayed during the run (docs/design/write-batch.md).
///
/// Call it on a plain thread; BUG in a fiber. Throws std::system_error if threads, descriptors or event loops
/// (4,096 in a process) are used up, or the strategy is invalid.
///
///     int main() {
///       return weft::run([] { serve(); });
///     }
template <class F>
auto run(const RunOptions& options, F&& main, SourceLocation called_at = SourceLocation::current()) {
  using Returned = std::invoke_result_t<std::decay_t<F>&>;
  detail::MainContext context(options);
  auto handle = detail::spawn_in(
      context.core(),
      [&context, &main]() -> Returned {
        struct CloseAtExit {
          detail::MainContext& context;
          ~CloseAtExit() { context.close(); }
        } close{context};
        const detail::StopScope scope(context.stop_on());
        return main();
      },
      SpawnOptions{.name = "main"}, called_at);
  context.run();
  if constexpr (std::is_void_v<Returned>) {
    handle.join_uncancellable();
    return 0;
  } else {
    return handle.join_uncancellable();
  }
}

template <class F>
auto run(F&& main, SourceLocation called_at = SourceLocation::current()) {
  return run(RunOptions{}, std::forward<F>(main), called_at);
}

}  // namespace weft
