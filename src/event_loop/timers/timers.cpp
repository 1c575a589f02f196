// SPDX-License-Identifier: Apache-2.0
#include "event_loop/timers/timers.hpp"

#include <algorithm>

namespace weft {

void TimerQueue::arm(Timer& timer, std::int64_t deadline_ns) noexcept {
  WEFT_ASSERT(deadline_ns != kNever, "armed a timer for never");
  if (timer.armed()) {
    unlink(timer);
  } else {
    ++size_;
  }
  timer.deadline_ns_ = deadline_ns;
  timer.order_ = next_sequence_++ << Timer::kPlaceBits | Timer::kInHeap;
  if (wheel_.is_near(deadline_ns)) {
    near_.insert(timer);
  } else {
    wheel_.insert(timer);
  }
}

bool TimerQueue::cancel(Timer& timer) noexcept {
  if (!timer.armed()) return false;
  unlink(timer);
  timer.set_place(Timer::kUnarmed);
  --size_;
  return true;
}

void TimerQueue::unlink(Timer& timer) noexcept {
  if (timer.place() == Timer::kInHeap) {
    near_.remove(timer);
  } else {
    wheel_.remove(timer);
  }
}

std::int64_t TimerQueue::next_deadline_ns() const noexcept {
  const Timer* const first = near_.first();
  return first == nullptr ? wheel_.earliest_ns() : std::min(first->deadline_ns_, wheel_.earliest_ns());
}

Timer* TimerQueue::pop_expired(std::int64_t now_ns) noexcept {
  wheel_.advance(now_ns, near_);
  Timer* first = near_.first();
  while (first == nullptr || first->deadline_ns_ > now_ns) {
    if (!wheel_.has_late()) return nullptr;
    wheel_.settle_late(near_);
    first = near_.first();
  }
  near_.pop_first();
  first->set_place(Timer::kUnarmed);
  --size_;
  return first;
}

}  // namespace weft
