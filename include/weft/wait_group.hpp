// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/countdown.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <cstdint>

namespace weft {

/// Waits until a number of tasks is done. add() raises a counter, done() lowers it, and zero wakes all
/// waiters. For fibers of any contexts and plain threads. To collect results and failures of fibers, use
/// their join handles or a TaskGroup.
///
/// Call add() for a task before the wait() that is to include it. An add() at zero while others wait is a BUG
/// where it is noticed. After wait() has returned, the group may be used again or destroyed, even if the last
/// done() has not returned yet. Writes before each done() are visible after wait(). Destruction: allowed when
/// no fiber or thread waits.
///
///     auto group = std::make_shared<weft::WaitGroup>();  // as long as its fibers
///     for (const Part part : parts) {
///       group->add();
///       weft::spawn([group, part] { load(part); group->done(); });
///     }
///     if (auto done = group->wait(); !done) return done;   // cancelled, or out of time
class WaitGroup {
 public:
  /// BUG if `count` is negative.
  explicit constexpr WaitGroup(std::int64_t count = 0,
                               SourceLocation made_at = SourceLocation::current()) noexcept
      : countdown_(count, made_at) {}

  /// Raises the counter; a negative count lowers it. BUG if it falls below zero or rises above the greatest
  /// std::int64_t. Does not suspend.
  void add(std::int64_t count = 1) noexcept { countdown_.add(count); }
  /// Lowers the counter by one. BUG if it falls below zero. Does not suspend.
  void done() noexcept { countdown_.add(-1); }

  /// Waits until the counter is zero. Suspends unless it is zero. Cancellable: fails when the calling fiber
  /// is cancelled (Errc::cancelled) or at the deadline of the enclosing scope (Errc::timed_out); the counter
  /// is then unchanged. If the counter is zero it succeeds even after the deadline or a cancellation.
  Result<void> wait() noexcept { return wait_until(Deadline::never()); }
  /// The same with a deadline (Errc::timed_out).
  Result<void> wait_until(Deadline deadline) noexcept { return countdown_.wait_until(deadline); }
  /// Waits until the counter is zero. Neither a cancellation nor the deadline of a scope ends the wait. Use
  /// it if other fibers use variables of the caller's block. Suspends unless the counter is zero.
  void wait_uncancellable() noexcept { countdown_.wait_uncancellable(); }

  /// The counter; only a hint while others use the group.
  std::int64_t count() const noexcept { return countdown_.count(); }

 private:
  detail::Countdown countdown_;
};

}  // namespace weft
