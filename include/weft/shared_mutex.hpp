// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/result.hpp>

#include <cstdint>

namespace weft {

/// Held by one writer, or by any number of readers at a time; between fibers of any contexts and plain
/// threads. Meets SharedLockable, so std::shared_lock, std::unique_lock and std::scoped_lock work.
///
/// Fair both ways: readers that come while a writer waits queue behind it, and when a writer unlocks, all
/// readers that wait by then go before the next writer. The lock is handed over to those that wait, so short
/// sections with many writers are better off with a Mutex. Not recursive, for readers neither: with a writer
/// between the two, the second lock_shared() would wait for the first one's unlock. Readers cannot become the
/// writer.
///
/// What was written before an unlock is seen after the locks that follow. Destruction: as of a Mutex.
///
///     std::shared_lock lock(mutex);      // a reader
class SharedMutex {
 public:
  constexpr SharedMutex() noexcept = default;
  ~SharedMutex() { detail::end_of_life(word_, 3, "a shared mutex"); }
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  /// Locks as the writer. Suspends: if anybody holds it. Not cancellable, see lock_until().
  void lock() noexcept;
  /// The same, given up at the deadline (Errc::timed_out) or when the calling fiber is cancelled
  /// (Errc::cancelled); the readers that waited behind it go on. Locks what is free in each case.
  Result<void> lock_until(Deadline deadline) noexcept;
  /// Never suspends, never fails without a reason.
  [[nodiscard]] bool try_lock() noexcept;
  /// Does not suspend. BUG if it is not locked by a writer.
  void unlock() noexcept;

  /// Locks as a reader. Suspends: if a writer holds it or waits. Not cancellable, see lock_shared_until().
  void lock_shared() noexcept;
  /// The same, given up as lock_until() is.
  Result<void> lock_shared_until(Deadline deadline) noexcept;
  /// False if a writer holds it or waits. Never suspends.
  [[nodiscard]] bool try_lock_shared() noexcept;
  /// Does not suspend. BUG if no reader holds it.
  void unlock_shared() noexcept;

 private:
  struct Protocol;

  detail::Atomic<std::uintptr_t> word_{0};  // flags and the number of readers: src/sync/shared_mutex.cpp
  detail::WaitChain writers_;               // guarded by the queue bit of the word, as are
  detail::WaitChain readers_;               // those that wait to read
};

}  // namespace weft
