// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/result.hpp>

#include <cstdint>

namespace weft {

/// A lock that one writer or any number of readers hold at a time. For fibers of any contexts and plain
/// threads. Meets SharedLockable, so std::shared_lock, std::unique_lock and std::scoped_lock work.
///
/// Fair to both sides: readers that come while a writer waits queue behind it. When a writer unlocks, all
/// readers that wait at that time go before the next writer. The lock is always handed over, so a Mutex is
/// better for short sections with many writers.
///
/// Not recursive, not even for readers: if a writer queues in between, the second lock_shared() waits for the
/// unlock of the first. A reader cannot become the writer.
///
/// Writes before an unlock are visible after the locks that follow. Destruction: like Mutex.
///
///     std::shared_lock lock(mutex);      // a reader
class SharedMutex {
 public:
  constexpr SharedMutex() noexcept = default;
  ~SharedMutex() { detail::end_of_life(word_, 3, "a shared mutex"); }
  SharedMutex(const SharedMutex&) = delete;
  SharedMutex& operator=(const SharedMutex&) = delete;

  /// Locks as the writer. Suspends while the lock is held. Not cancellable; see lock_until().
  void lock() noexcept;
  /// The same, but fails at the deadline (Errc::timed_out) or when the calling fiber is cancelled
  /// (Errc::cancelled). Readers that queued behind it then proceed. A free lock is locked in every case.
  Result<void> lock_until(Deadline deadline) noexcept;
  /// Locks as the writer if the lock is free, and returns whether it did. Never suspends. Never fails
  /// spuriously.
  [[nodiscard]] bool try_lock() noexcept;
  /// Does not suspend. BUG if it is not locked by a writer.
  void unlock() noexcept;

  /// Locks as a reader. Suspends while a writer holds the lock or waits. Not cancellable; see
  /// lock_shared_until().
  void lock_shared() noexcept;
  /// The same, but fails like lock_until().
  Result<void> lock_shared_until(Deadline deadline) noexcept;
  /// Locks as a reader unless a writer holds the lock or waits, and returns whether it did. Never suspends.
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
