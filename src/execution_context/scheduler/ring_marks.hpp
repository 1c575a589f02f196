// SPDX-License-Identifier: Apache-2.0
#pragma once

// Two positions in a scheduler's ring: behind the last fiber in it that was woken, and behind those of the
// last poll (docs/design/scheduler.md). Positions are counted modulo 2^32 and compared by their difference:
// one that lies 2^31 back would seem to lie ahead. So what was passed is moved along at each look.
//
// Thread safety: none, the scheduler's own.

#include <cstdint>

namespace weft {

class RingMarks {
 public:
  /// A fiber that did not yield was pushed.
  template <class Ring>
  void woken(const Ring& ring) noexcept {
    woken_until_ = ring.end();
  }
  /// The last woken one is the last that a poll brought; those that yielded may have been pushed since.
  void polled() noexcept { polled_until_ = woken_until_; }

  /// Whether one that yielded has run since the last woken one: the others may be overtaken.
  template <class Ring>
  bool yielded_may_be_overtaken(const Ring& ring) const noexcept {
    return ring.has_passed(woken_until_ + 1);
  }
  /// How many lie before the end of the woken ones.
  template <class Ring>
  std::uint32_t woken_waiting(const Ring& ring) const noexcept {
    const auto waiting = static_cast<std::int32_t>(woken_until_ - ring.begin());
    return waiting < 0 ? 0 : static_cast<std::uint32_t>(waiting);
  }
  /// Whether what the last poll brought has begun to run. Moves along what was passed.
  template <class Ring>
  bool passed_polled(const Ring& ring) noexcept {
    const std::uint32_t begin = ring.begin();
    if (ring.has_passed(woken_until_ + 1)) woken_until_ = begin - 1;
    if (!ring.has_passed(polled_until_)) return false;
    polled_until_ = begin;
    return true;
  }

 private:
  std::uint32_t woken_until_ = 0;   // from this position of the ring on all fibers in it have yielded
  std::uint32_t polled_until_ = 0;  // the same, when the last poll's had been pushed
};

}  // namespace weft
