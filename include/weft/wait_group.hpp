// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/countdown.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <cstdint>

namespace weft {

/// Waits until a number of things is done: a counter that add() raises and done() lowers, and whose zero
/// wakes all that wait. For fibers of any contexts and plain threads. To collect results and failures of
/// fibers, use their join handles.
///
/// add() for what a wait() is to include comes before that wait(); an add() to a counter at zero while others
/// wait there is a BUG where it is seen. When wait() has returned the group may be used again at once, or be
/// destroyed, also while the last done() is still on its way out. What was done before each done() is seen
/// after wait(). Destruction: when nobody waits.
///
///     auto group = std::make_shared<weft::WaitGroup>();  // as long as its fibers
///     for (const Part part : parts) {
///       group->add();
///       weft::spawn([group, part] { load(part); group->done(); });
///     }
///     if (auto done = group->wait(); !done) return done;   // cancelled, or out of time
class WaitGroup {
 public:
  /// BUG below zero.
  explicit constexpr WaitGroup(std::int64_t count = 0,
                               SourceLocation made_at = SourceLocation::current()) noexcept
      : countdown_(count, made_at) {}

  /// Raises the counter; a negative count lowers it. BUG below zero, and above the greatest std::int64_t.
  /// Suspends: no.
  void add(std::int64_t count = 1) noexcept { countdown_.add(count); }
  /// Lowers the counter by one. BUG below zero. Suspends: no.
  void done() noexcept { countdown_.add(-1); }

  /// Waits until the counter is zero. Suspends, unless it is. Cancellable: gives up when the calling fiber is
  /// cancelled (Errc::cancelled) or at the deadline of the scope around it (Errc::timed_out). The counter is
  /// as before then. Success at zero also after the deadline or a cancel.
  Result<void> wait() noexcept { return wait_until(Deadline::never()); }
  /// The same, given up also at the deadline (Errc::timed_out).
  Result<void> wait_until(Deadline deadline) noexcept { return countdown_.wait_until(deadline); }
  /// Waits until the counter is zero, however long that takes: neither a cancel nor a scope's deadline ends
  /// the wait. For what others use in the caller's frame. Suspends, unless it is zero.
  void wait_uncancellable() noexcept { countdown_.wait_uncancellable(); }

  /// The counter now; only a hint when others use it too.
  std::int64_t count() const noexcept { return countdown_.count(); }

 private:
  detail::Countdown countdown_;
};

}  // namespace weft
