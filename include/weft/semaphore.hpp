// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <cstddef>
#include <cstdint>

namespace weft {

/// A number of permits: acquire() takes one, and waits while there is none. The names of
/// std::counting_semaphore, for fibers of any contexts and plain threads.
///
/// Fair: waiters get permits in their order, and nobody takes one past them. What was written before a
/// release() is seen after the acquire() that takes its permit. Destruction: when nobody waits; also right
/// after an acquire(), while the release() that it waited for is still on its way out.
///
///     weft::Semaphore slots(10);                       // at most ten at a time
///     if (auto got = slots.acquire(); !got) return got;   // cancelled, or out of time: no permit
///     ...
///     slots.release();
class Semaphore {
 public:
  /// BUG above max().
  explicit Semaphore(std::size_t permits, SourceLocation made_at = SourceLocation::current()) noexcept;
  ~Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Takes a permit. Suspends: if there is none. Cancellable: gives up when the calling fiber is cancelled
  /// (Errc::cancelled) or at the deadline of the scope around it (Errc::timed_out). Then no permit is taken
  /// and none is lost. Takes one that is there also after the deadline or a cancel.
  Result<void> acquire() noexcept { return acquire_until(Deadline::never()); }
  /// The same, given up also at the deadline (Errc::timed_out).
  Result<void> acquire_until(Deadline deadline) noexcept;
  /// Takes a permit, however long that takes: neither a cancel nor a scope's deadline ends the wait.
  /// Suspends: if there is none.
  void acquire_uncancellable() noexcept;
  /// Takes a permit if there is one that nobody waits for. Never suspends, never fails without a reason.
  [[nodiscard]] bool try_acquire() noexcept;

  /// Gives permits back, or adds new ones: wakes as many waiters; of no effect for 0. Any fiber or thread.
  /// Suspends: no. BUG if there are more than max() afterwards.
  void release(std::size_t permits = 1) noexcept;

  /// Permits that are there now; only a hint when others use it too.
  std::size_t available() const noexcept;
  static constexpr std::size_t max() noexcept { return (std::size_t{1} << 60) - 1; }

 private:
  struct Protocol;

  detail::Atomic<std::uintptr_t> word_;  // permits, and flags: src/sync/semaphore.cpp
  detail::WaitChain waiters_;            // guarded by the queue bit of the word
};

}  // namespace weft
