// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <cstddef>
#include <cstdint>

namespace weft {

/// A number of permits: acquire() takes one, and waits while there is none. It has the names of
/// std::counting_semaphore, for fibers of any contexts and plain threads.
///
/// Fair: waiters get permits in the order of their calls, and a later call never overtakes a waiter. Writes
/// before a release() are visible after the acquire() that takes its permit. Destruction: allowed when no
/// fiber or thread waits; also right after an acquire(), even if the release() that it waited for has not
/// returned yet.
///
///     weft::Semaphore slots(10);                       // at most ten at a time
///     if (auto got = slots.acquire(); !got) return got;   // cancelled, or out of time: no permit
///     ...
///     slots.release();
class Semaphore {
 public:
  /// BUG if `permits` is above max().
  explicit Semaphore(std::size_t permits, SourceLocation made_at = SourceLocation::current()) noexcept;
  ~Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// Takes a permit. Suspends while there is none. Cancellable: fails when the calling fiber is cancelled
  /// (Errc::cancelled) or at the deadline of the enclosing scope (Errc::timed_out). A call that fails takes
  /// no permit, and none is lost. An available permit is taken even after the deadline or a cancellation.
  Result<void> acquire() noexcept { return acquire_until(Deadline::never()); }
  /// The same with a deadline (Errc::timed_out).
  Result<void> acquire_until(Deadline deadline) noexcept;
  /// Takes a permit. Neither a cancellation nor the deadline of a scope ends the wait. Suspends while there
  /// is none.
  void acquire_uncancellable() noexcept;
  /// Takes a permit if there is one and no fiber waits for it. Never suspends. Never fails spuriously.
  [[nodiscard]] bool try_acquire() noexcept;

  /// Gives permits back, or adds new ones, and wakes as many waiters. No effect with 0. Any fiber or thread
  /// may call it. Does not suspend. BUG if there are more than max() permits afterwards.
  void release(std::size_t permits = 1) noexcept;

  /// The number of available permits; only a hint while others use the semaphore.
  std::size_t available() const noexcept;
  static constexpr std::size_t max() noexcept { return (std::size_t{1} << 60) - 1; }

 private:
  struct Protocol;

  detail::Atomic<std::uintptr_t> word_;  // permits, and flags: src/sync/semaphore.cpp
  detail::WaitChain waiters_;            // guarded by the queue bit of the word
};

}  // namespace weft
