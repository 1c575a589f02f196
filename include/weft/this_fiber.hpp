// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/join_handle.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>
#include <weft/spawn_options.hpp>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

namespace weft {

namespace detail {
/// The core of the context that spawn() in the calling fiber goes to. BUG outside of every fiber.
Context& current_spawn_context() noexcept;
}  // namespace detail

/// Starts a fiber in the current context (an isolated context's spawn context) that runs `closure`, a
/// callable without arguments. Ignoring the handle detaches the fiber: it may outlive the caller's block,
/// so lend locals only to children of a TaskGroup, or to a fiber that is joined at once. Does not suspend,
/// and does not switch: the new fiber runs when the current one suspends, or at once on an idle thread.
/// Throws std::bad_alloc if there is no memory for a stack.
template <class F>
auto spawn(F&& closure, const SpawnOptions& options = {},
           SourceLocation spawned_at = SourceLocation::current()) {
  return spawn_in(detail::current_spawn_context(), std::forward<F>(closure), options, spawned_at);
}

/// Lets the other runnable fibers of this thread run first. Suspends. Not cancellable.
void yield() noexcept;

/// Counts as one operation of the calling fiber, as a read, a write, or a send into a channel does: every
/// 64th without a wait in between, or the first after a quarter of a millisecond, lets the other runnable
/// fibers run first, and notices a cancellation. For loops that find all they need in memory:
///
///     while (parser.next(message) && weft::checkpoint()) handle(message);
///
/// May suspend. Errc::cancelled or Errc::timed_out if the fiber, or the cancel scope around the call, was
/// cancelled or has ended by then. On a plain thread: does nothing.
Result<void> checkpoint() noexcept;

/// How a sleep went: a Result<void> that may be dropped, as most programs have nothing to do after a sleep
/// that was cut short but to go on, and the next wait fails as well.
class SleepResult final : public Result<void> {
 public:
  using Result<void>::Result;
  SleepResult(const Result<void>& result) noexcept : Result<void>(result) {}  // NOLINT
};

/// Suspends the calling fiber until the deadline. Errc::cancelled if the fiber, or the cancel scope around
/// the call, is cancelled first, or was; Errc::timed_out if the scope's deadline comes first. On a plain
/// thread: blocks it.
///
///     while (weft::sleep(1s)) collect_statistics();   // until cancelled
SleepResult sleep_until(Deadline deadline) noexcept;
template <class Rep, class Period>
SleepResult sleep(std::chrono::duration<Rep, Period> duration) {
  return sleep_until(Deadline::after(duration));
}

/// About the calling fiber. All are BUGs outside of every fiber, but for exists().
namespace this_fiber {

/// Whether the caller is a fiber.
bool exists() noexcept;
std::uint64_t id() noexcept;
/// As given at spawn; valid as long as the fiber.
std::string_view name() noexcept;
/// The name of the context it runs in.
std::string_view context_name() noexcept;
/// Gives back to the kernel what memory of its stack lies below the caller's frame: the pages that calls have
/// touched and left. To be called before a long wait by a fiber that has gone deep, as a fiber that waits
/// keeps every page it ever touched. (An HTTP connection does it when its client is silent for a second.) One
/// system call, 0.3 us and 0.1 us a page; each page that is needed again costs a page fault. Does not
/// suspend.
void trim_stack() noexcept;
/// Somebody asked it to stop, or the cancel scope around the call has ended: every cancellable wait fails
/// here.
bool cancel_requested() noexcept;

}  // namespace this_fiber
}  // namespace weft
