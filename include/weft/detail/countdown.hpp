// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/lock_owner.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <cstdint>

namespace weft::detail {

/// A counter and the waiters for its zero. WaitGroup and Latch are built on it (src/sync/countdown.cpp).
/// Internal: this header may change at any time.
class Countdown {
 public:
  /// BUG at `made_at` if `count` is negative.
  explicit constexpr Countdown(std::int64_t count,
                               SourceLocation made_at = SourceLocation::current()) noexcept
      : count_(count) {
    if (count < 0) report_negative("a wait group or latch begins below zero", count, made_at);
  }
  ~Countdown() {
#if WEFT_CHECK_LOCKS
    if (!queue_.awaited()) count_.store(kDestroyedCount, relaxed);  // else the queue says what is wrong
#endif
  }

  /// Changes the counter; at zero wakes all waiters. BUG if it falls below zero, rises above the greatest
  /// number, or leaves zero while a fiber or thread waits.
  void add(std::int64_t delta) noexcept;
  void wait_uncancellable() noexcept;
  Result<void> wait_until(Deadline deadline) noexcept;
  /// True if the counter is zero and the call that made it zero no longer uses this object, unless it still
  /// wakes waiters in portions. The destructor waits for that.
  bool settled() const noexcept { return count_.load(acquire) == 0 && !queue_.locked(); }
  std::int64_t count() const noexcept { return count_.load(acquire); }

  [[noreturn, gnu::cold]] static void report_negative(const char* what_is_wrong, std::int64_t count,
                                                      SourceLocation called_at) noexcept;

 private:
  struct Protocol;
  static constexpr std::int64_t kDestroyedCount = -(std::int64_t{1} << 62);  // any step leads below zero

  Atomic<std::int64_t> count_;
  WaitQueue queue_;
};

}  // namespace weft::detail
