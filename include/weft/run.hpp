// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/event_loop_strategy.hpp>
#include <weft/join_handle.hpp>
#include <weft/source_location.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft {

/// How the default context is made.
struct RunOptions {
  /// Threads of the default context, the calling one included, 1 to 256. 0: as many as the process has CPUs.
  std::uint32_t parallelism = 1;
  /// How the default context waits for files, and every context made during the run that names no strategy of
  /// its own. None: as set_default_event_loop_strategy() or the environment variable WEFT_STRATEGY says, else
  /// `lifetime`.
  std::optional<EventLoopStrategy> strategy = std::nullopt;
  /// As ParallelOptions::stuck_report_after.
  std::optional<std::chrono::milliseconds> stuck_report_after = std::nullopt;
};

namespace detail {

/// The default context, on the calling thread.
class MainContext {
 public:
  explicit MainContext(const RunOptions& options);
  ~MainContext();
  MainContext(const MainContext&) = delete;
  MainContext& operator=(const MainContext&) = delete;

  Context& core() noexcept;
  /// Runs fibers until close() was called and none is left.
  void run() noexcept;
  /// By the main fiber, when its function has returned or thrown.
  void close() noexcept;

 private:
  std::optional<EventLoopStrategy> default_before_;
  Context* core_;
};

}  // namespace detail

/// Runs `main` as a fiber of the default context, a ParallelContext named "default" whose first thread is the
/// calling one. When `main` returns, the remaining fibers of the context are cancelled and joined; then run()
/// returns its value, or 0 if it has none, or throws what escaped from it. A detached fiber (its handle is
/// gone) that has not started by then is not started any more: its closure is destroyed. One that has started
/// may still use what it was lent: lend locals of `main` to children of a TaskGroup, or to fibers that `main`
/// joins.
///
/// Afterwards an epoll_wait of the thread's own may once end with EINTR although no signal came, if writes
/// were put off (docs/design/write-batch.md).
///
/// On a plain thread only (BUG in a fiber). Throws std::system_error when threads, descriptors or event loops
/// (4,096 in a process) are used up, or the strategy makes no sense.
///
///     int main() {
///       return weft::run([] { serve(); });
///     }
template <class F>
auto run(const RunOptions& options, F&& main, SourceLocation called_at = SourceLocation::current()) {
  using Returned = std::invoke_result_t<std::decay_t<F>&>;
  detail::MainContext context(options);
  auto handle = spawn_in(
      context.core(),
      [&context, &main]() -> Returned {
        struct CloseAtExit {
          detail::MainContext& context;
          ~CloseAtExit() { context.close(); }
        } close{context};
        return std::invoke(main);
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
