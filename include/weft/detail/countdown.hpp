// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/lock_owner.hpp>
#include <weft/detail/wait_queue.hpp>
#include <weft/result.hpp>

#include <cstdint>

namespace weft::detail {

/// A counter and those that wait for its zero: what a WaitGroup and a Latch are made of
/// (src/sync/countdown.cpp). No promises about this header.
class Countdown {
 public:
  explicit constexpr Countdown(std::int64_t count) noexcept : count_(count) {}
  ~Countdown() {
#if WEFT_CHECK_LOCKS
    if (!queue_.awaited()) count_.store(kDestroyedCount, relaxed);  // else the queue says what is wrong
#endif
  }

  /// Changes the counter; at zero wakes all. BUG below zero, and if it leaves zero while somebody waits
  /// there.
  void add(std::int64_t delta) noexcept;
  void wait() noexcept;
  Result<void> wait_until(Deadline deadline) noexcept;
  /// It is zero, and whoever made it zero has touched this object for the last time.
  bool settled() const noexcept { return count_.load(acquire) == 0 && !queue_.locked(); }
  std::int64_t count() const noexcept { return count_.load(acquire); }

 private:
  struct Protocol;
  static constexpr std::int64_t kDestroyedCount = -(std::int64_t{1} << 62);  // any step leads below zero

  Atomic<std::int64_t> count_;
  WaitQueue queue_;
};

}  // namespace weft::detail
