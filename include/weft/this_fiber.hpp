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
/// The core of the context in which spawn() of the calling fiber starts fibers. BUG outside of fibers.
Context& current_spawn_context() noexcept;
}  // namespace detail

/// Starts a fiber in the current context (in an isolated context, its spawn context). It runs `closure`, a
/// callable without arguments. If the handle is ignored, the fiber is detached and may outlive the caller's
/// block: pass references to locals only to children of a TaskGroup, or to a fiber that is joined at once.
/// Does not suspend or switch: the new fiber runs when the current one suspends, or at once on an idle
/// thread. Throws std::bad_alloc if there is no memory for a stack.
template <class F>
auto spawn(F&& closure, const SpawnOptions& options = {},
           SourceLocation spawned_at = SourceLocation::current()) {
  return detail::spawn_in(detail::current_spawn_context(), std::forward<F>(closure), options, spawned_at);
}

/// Lets the other runnable fibers of this thread run first. Suspends. Not cancellable.
void yield() noexcept;

/// Lets other fibers run from time to time, and notices a cancellation. For loops that find all their data in
/// memory. The call counts as one operation of the calling fiber, like a read, a write, or a send to a
/// channel. After 64 operations without a wait, or after a quarter of a millisecond of them, the operation
/// lets the other runnable fibers run first.
///
///     while (parser.next(message) && weft::checkpoint()) handle(message);
///
/// May suspend. Errors: Errc::cancelled or Errc::timed_out if the fiber was cancelled or the enclosing scope
/// has ended. Does nothing on a plain thread.
Result<void> checkpoint() noexcept;

/// The result of a sleep: a Result<void> that may be ignored. If the sleep was cut short, the next wait fails
/// too.
class SleepResult final : public Result<void> {
 public:
  using Result<void>::Result;
  SleepResult(const Result<void>& result) noexcept : Result<void>(result) {}  // NOLINT
};

/// Suspends the calling fiber until the deadline; blocks a plain thread. Errc::cancelled if the fiber or the
/// enclosing scope is cancelled before that. Errc::timed_out if the scope's deadline comes first.
///
///     while (weft::sleep(1s)) collect_statistics();   // until cancelled
SleepResult sleep_until(Deadline deadline) noexcept;
template <class Rep, class Period>
SleepResult sleep(std::chrono::duration<Rep, Period> duration) {
  return sleep_until(Deadline::after(duration));
}

/// Properties of the calling fiber. All calls except exists() are BUGs outside of fibers.
namespace this_fiber {

/// True if the caller is a fiber.
bool exists() noexcept;
/// The fiber's number, unique in the process.
std::uint64_t id() noexcept;
/// The name given at spawn; valid while the fiber lives.
std::string_view name() noexcept;
/// The name of the fiber's context.
std::string_view context_name() noexcept;
/// Gives the unused memory of the fiber's stack back to the kernel: the pages below the caller's frame, which
/// earlier calls have touched. A fiber that waits keeps every page that it has ever touched. Call this before
/// a long wait if earlier calls went deep. (An HTTP connection does so when its client is silent for a
/// second.) It costs one system call, 0.3 us and 0.1 us for each page; each page that is needed again costs a
/// page fault. Does not suspend.
void trim_stack() noexcept;
/// True if the fiber was cancelled, or the enclosing scope has ended: every cancellable wait fails here.
bool cancel_requested() noexcept;

}  // namespace this_fiber
}  // namespace weft
