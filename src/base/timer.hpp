// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/pairing_heap.hpp"
#include "base/panic.hpp"

#include <cstddef>
#include <cstdint>

namespace weft {

class TimerQueue;
class TimerWheel;

/// A deadline that can be armed in one `TimerQueue` (src/event_loop); embedded in what waits, a layer below
/// it: in a fiber's control block. Every field belongs to the queue and is guarded by its lock, from `arm`
/// until it is popped or cancelled, before which it must not be destroyed or moved.
class Timer {
 public:
  Timer() noexcept = default;
  ~Timer() { WEFT_DEBUG_ASSERT(!armed(), "timer destroyed while armed", WEFT_VALUE(deadline_ns_)); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool armed() const noexcept { return place() != kUnarmed; }

  /// What it was last armed for.
  std::int64_t deadline_ns() const noexcept { return deadline_ns_; }

 private:
  friend class TimerQueue;
  friend class TimerWheel;
  friend struct TimerOrder;

  // The order word:   63                    16 15        0
  //                  | sequence number of arm |  place    |
  // The sequence orders equal deadlines first armed, first fired; 2^48 arms do not wrap in a lifetime.
  // The place says which structure holds the timer: a constant below, or kFirstSlot + its slot in the wheel.
  static constexpr int kPlaceBits = 16;
  static constexpr std::uint64_t kPlaceMask = (std::uint64_t{1} << kPlaceBits) - 1;
  static constexpr std::uint64_t kUnarmed = 0;  // in none
  static constexpr std::uint64_t kInHeap = 1;   // in the heap; links_ are the heap's
  static constexpr std::uint64_t kFirstSlot =
      2;  // in a slot's list; links_: next, previous, and a hint in child

  std::uint64_t place() const noexcept { return order_ & kPlaceMask; }
  void set_place(std::uint64_t place) noexcept { order_ = (order_ & ~kPlaceMask) | place; }

  std::int64_t deadline_ns_ = 0;
  std::uint64_t order_ = kUnarmed;
  PairingHeapLinks<Timer> links_;
};

static_assert(sizeof(Timer) == 40, "a timer fits a cache line beside its owner's hot fields");

/// Earlier deadlines first, equal ones in the order they were armed.
struct TimerOrder {
  static PairingHeapLinks<Timer>& links(Timer& timer) noexcept { return timer.links_; }
  static bool before(const Timer& a, const Timer& b) noexcept {
    return a.deadline_ns_ != b.deadline_ns_ ? a.deadline_ns_ < b.deadline_ns_ : a.order_ < b.order_;
  }
};

using TimerHeap = PairingHeap<Timer, TimerOrder>;

}  // namespace weft
