// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/lock_owner.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/result.hpp>
#include <weft/source_location.hpp>

#include <cstdint>

namespace weft::detail {

/// A counter and those that wait for its zero: what a WaitGroup and a Latch are made of
/// (src/sync/countdown.cpp). No promises about this header.
class Countdown {
 public:
  /// BUG at `made_at` below zero.
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

  /// Changes the counter; at zero wakes all. BUG below zero, above the greatest number, and if it leaves zero
  /// while somebody waits there.
  void add(std::int64_t delta) noexcept;
  void wait_uncancellable() noexcept;
  Result<void> wait_until(Deadline deadline) noexcept;
  /// It is zero, and whoever made it zero has touched this object for the last time; or still wakes others,
  /// in portions, which the destructor waits for.
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
