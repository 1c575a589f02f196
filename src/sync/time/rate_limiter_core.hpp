// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a RateLimiter is (docs/design/rate-limiter.md): a number, and those who wait, in their order.
//
// The number is the theoretical arrival time of GCRA, in units of 1/permits of a nanosecond, so that one
// permit of a rate of `permits` in `period` ns is worth `period` units, and everything is whole. It says when
// the bucket is full again; a permit that is taken moves it on.
//
// Thread safety: any fiber or plain thread; all of it is guarded by the lock.
// Invariants:
//   RL1 permits are taken by the first in the list, or by a caller that finds the list empty.
//   RL2 the first in the list is planned (its wait ends) no later than its permits are there; or it runs, and
//      comes to the lock before it waits again.
//   RL3 a node that was granted its permits is off the list; its waiter returns success, however its wait
//      ended. After that nobody but the waiter touches the limiter on its behalf.
//   RL4 a node that leaves without permits has changed nothing but the list.

#include "base/spin_lock.hpp"
#include "fiber/waiter.hpp"

#include <weft/deadline.hpp>
#include <weft/rate.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>

namespace weft::detail {

__extension__ typedef __int128 WideInteger;  // NOLINT(modernize-use-using): the extension is of typedef

/// One who waits for permits. `planned_ns` and `granted` are guarded by the lock; `granted` may be read
/// without it after a wait that was won with kReady.
struct PermitNode : WaitNode {
  std::size_t permits = 0;
  std::int64_t since_ns = 0;                      ///< when it asked for them
  std::int64_t planned_ns = Waiter::kNoDeadline;  ///< when its wait ends for it to look again
  bool granted = false;
};

/// What is to be woken after the unlock.
struct Grants {
  IntrusiveList<PermitNode> won;
  Waiter* first = nullptr;  ///< still in the list: it is to plan anew

  void wake() noexcept;
};

class RateLimiterCore {
 public:
  RateLimiterCore(Rate rate, std::size_t burst) noexcept : rate_(rate), burst_(burst) {}
  /// BUG if somebody waits.
  ~RateLimiterCore();

  Result<void> acquire(std::size_t permits, Deadline deadline) noexcept;
  bool try_acquire(std::size_t permits) noexcept;
  std::size_t available() noexcept;

  Rate rate() const noexcept { return rate_; }
  std::size_t burst() const noexcept { return burst_; }

 private:
  WideInteger worth(std::size_t permits) const noexcept {
    return static_cast<WideInteger>(permits) * rate_.period().count();
  }
  WideInteger units(std::int64_t time_ns) const noexcept {
    return static_cast<WideInteger>(time_ns) * rate_.permits();
  }
  bool take_locked(std::size_t permits, std::int64_t since_ns, std::int64_t now_ns) noexcept;
  std::int64_t time_for_locked(std::size_t permits, std::int64_t since_ns) const noexcept;
  void plan_locked(PermitNode& node, Waiter& self, Deadline deadline) noexcept;
  void grant_locked(std::int64_t now_ns, Grants& grants) noexcept;
  void remove_locked(PermitNode& node) noexcept;
  bool take_turn(PermitNode& node, std::int64_t now_ns) noexcept;
  bool leave(PermitNode& node, std::int64_t now_ns) noexcept;
  Result<void> wait(PermitNode& node, Waiter& self, Deadline deadline) noexcept;

  const Rate rate_;
  const std::size_t burst_;
  SpinLock lock_;
  WideInteger full_at_ = -(static_cast<WideInteger>(1) << 126);  // long ago, whatever the clock
  WideInteger awaited_ = 0;                                      // permits of all in the list
  IntrusiveList<PermitNode> waiters_;
};

}  // namespace weft::detail
