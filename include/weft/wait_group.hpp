// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/countdown.hpp>
#include <weft/result.hpp>

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
///     group->wait();
class WaitGroup {
 public:
  explicit constexpr WaitGroup(std::int64_t count = 0) noexcept : countdown_(count) {}

  /// Raises the counter; a negative count lowers it. BUG below zero. Suspends: no.
  void add(std::int64_t count = 1) noexcept { countdown_.add(count); }
  /// Lowers the counter by one. BUG below zero. Suspends: no.
  void done() noexcept { countdown_.add(-1); }

  /// Waits until the counter is zero. Suspends, unless it is. Not cancellable, see wait_until().
  void wait() noexcept { countdown_.wait(); }
  /// The same, given up at the deadline (Errc::timed_out) or when the calling fiber is cancelled
  /// (Errc::cancelled); the counter is as before. Success at zero also after the deadline or a cancel.
  Result<void> wait_until(Deadline deadline) noexcept { return countdown_.wait_until(deadline); }

  /// The counter now; only a hint when others use it too.
  std::int64_t count() const noexcept { return countdown_.count(); }

 private:
  detail::Countdown countdown_;
};

}  // namespace weft
