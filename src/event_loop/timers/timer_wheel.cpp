// SPDX-License-Identifier: Apache-2.0
#include "event_loop/timers/timer_wheel.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace weft {
namespace {

constexpr std::uint64_t bit(int index) noexcept { return std::uint64_t{1} << index; }

/// Takes the lowest bit out of `bits` and returns its index.
int take_lowest(std::uint64_t& bits) noexcept {
  const int index = std::countr_zero(bits);
  bits &= bits - 1;
  return index;
}

void prefetch_for_write(const Timer* timer) noexcept { __builtin_prefetch(timer, 1); }

}  // namespace

/// The lowest level that reaches the deadline (W2). Bit counting gives it but for the carry from base's
/// position within its slot, which the comparison adds.
int TimerWheel::level_of(std::int64_t deadline_ns) const noexcept {
  const auto ticks = static_cast<std::uint64_t>((deadline_ns >> kTickBits) - (base_ns_ >> kTickBits));
  const int width = static_cast<int>(std::bit_width(ticks));
  const int level = width <= 6 ? 0 : (width - 2) / kLevelBits;
  const std::int64_t distance = (deadline_ns >> shift(level)) - (base_ns_ >> shift(level));
  return distance < kSlots ? level : level + 1;
}

void TimerWheel::insert(Timer& timer) noexcept {
  const std::int64_t deadline_ns = timer.deadline_ns_;
  const int level = level_of(deadline_ns);
  const int index = static_cast<int>(deadline_ns >> shift(level)) & (kSlots - 1);
  const auto l = static_cast<std::size_t>(level);
  Slot& slot = slots_[l][static_cast<std::size_t>(index)];
  if ((occupied_[l] & bit(index)) == 0) {
    occupied_[l] |= bit(index);
    levels_ |= bit(level);
    slot.earliest_ns = kNever;
  }
  slot.earliest_ns = std::min(slot.earliest_ns, deadline_ns);
  earliest_ns_ = std::min(earliest_ns_, deadline_ns);
  timer.set_place(Timer::kFirstSlot + static_cast<std::uint64_t>(level * kSlots + index));
  timer.links_ = {slot.recent.back(), slot.head, nullptr};
  if (slot.head != nullptr) slot.head->links_.previous = &timer;
  slot.head = &timer;
  std::copy_backward(slot.recent.begin(), slot.recent.end() - 1, slot.recent.end());
  slot.recent.front() = &timer;
}

void TimerWheel::remove(Timer& timer) noexcept {
  Timer* const next = timer.links_.next;
  Timer* const previous = timer.links_.previous;
  if (next != nullptr) next->links_.previous = previous;
  if (previous != nullptr) {
    previous->links_.next = next;
    return;
  }
  const auto place = static_cast<int>(timer.place() - Timer::kFirstSlot);
  const int level = place / kSlots;
  const int index = place % kSlots;
  Slot& slot = slots_[static_cast<std::size_t>(level)][static_cast<std::size_t>(index)];
  set_head(static_cast<std::size_t>(level), index, next);
  if (next == nullptr && slot.earliest_ns == earliest_ns_) earliest_ns_ = first_bound_ns();
}

/// Only the head of a list has to know its place: the others of one that was put off say where it was before.
void TimerWheel::set_head(std::size_t level, int index, Timer* head) noexcept {
  slots_[level][static_cast<std::size_t>(index)].head = head;
  if (head == nullptr) return mark_empty(static_cast<int>(level), index);
  head->links_.previous = nullptr;
  head->set_place(Timer::kFirstSlot + level * kSlots + static_cast<std::uint64_t>(index));
}

void TimerWheel::mark_empty(int level, int index) noexcept {
  std::uint64_t& occupied = occupied_[static_cast<std::size_t>(level)];
  occupied &= ~bit(index);
  if (occupied == 0) levels_ &= ~bit(level);  // never set for what was put off
}

/// The occupied slots of a level that base has reached. Of base's own slot that is so only once its bound has
/// passed; those before it lie in the past as a whole.
std::uint64_t TimerWheel::due_slots(int level, std::int64_t old_base_ns) const noexcept {
  const auto l = static_cast<std::size_t>(level);
  const std::int64_t old_number = old_base_ns >> shift(level);
  const std::int64_t number = base_ns_ >> shift(level);
  const std::uint64_t passed =
      number - old_number >= kSlots ? ~std::uint64_t{0} : bit(static_cast<int>(number - old_number)) - 1;
  std::uint64_t due = occupied_[l] & std::rotl(passed, static_cast<int>(old_number & (kSlots - 1)));
  const int own = static_cast<int>(number & (kSlots - 1));
  if ((occupied_[l] & bit(own)) != 0 && slots_[l][static_cast<std::size_t>(own)].earliest_ns <= base_ns_) {
    due |= bit(own);
  }
  return due;
}

/// Base enters another tick, or the bound of a slot. From the lowest level up: what an opened slot holds
/// goes to lower levels, which are then rid of old timers (W2).
void TimerWheel::advance_slow(std::int64_t now_ns, TimerHeap& near) noexcept {
  const std::int64_t old_base_ns = base_ns_;
  base_ns_ = now_ns;
  if (earliest_ns_ <= now_ns) {
    earliest_ns_ = kNever;
    std::size_t left = kOpenedAtOnce;
    for (std::uint64_t levels = levels_; levels != 0;) {
      const int level = take_lowest(levels);
      for (std::uint64_t due = due_slots(level, old_base_ns); due != 0;)
        left = open(level, take_lowest(due), left, near);
    }
  }
  open_ahead(near);
  if (has_late()) settle_late(near);
  earliest_ns_ = first_bound_ns();
}

/// Returns how many of `count_max` it left.
std::size_t TimerWheel::open(int level, int index, std::size_t count_max, TimerHeap& near) noexcept {
  Slot& slot = slots_[static_cast<std::size_t>(level)][static_cast<std::size_t>(index)];
  for (const Timer* hint : slot.recent) prefetch_for_write(hint);
  Timer* const timers = std::exchange(slot.head, nullptr);
  mark_empty(level, index);
  const std::int64_t earliest_ns = slot.earliest_ns;
  Timer* const rest = settle(timers, count_max, near);
  if (rest != nullptr && !put_off(rest, earliest_ns)) {
    std::size_t all = std::numeric_limits<std::size_t>::max();
    settle(rest, all, near);
  }
  return count_max;
}

/// Whole lists, whatever their length. False: there are too many lists already.
bool TimerWheel::put_off(Timer* timers, std::int64_t earliest_ns) noexcept {
  const int index = std::countr_one(occupied_[kLate]);
  if (index == kSlots) return false;
  occupied_[kLate] |= bit(index);
  slots_[kLate][static_cast<std::size_t>(index)].earliest_ns = earliest_ns;
  set_head(kLate, index, timers);
  return true;
}

void TimerWheel::settle_late(TimerHeap& near) noexcept {
  std::size_t left = kAheadMax;
  for (std::uint64_t late = occupied_[kLate]; late != 0 && left != 0;) {
    const int index = take_lowest(late);
    Slot& slot = slots_[kLate][static_cast<std::size_t>(index)];
    set_head(kLate, index, settle(slot.head, left, near));
  }
  earliest_ns_ = first_bound_ns();
}

/// A few timers of the slot that follows base's in each level go down already (the level below reaches over
/// the whole of it), so that the slot is not opened with thousands of them at once, under the loop's lock.
void TimerWheel::open_ahead(TimerHeap& near) noexcept {
  for (std::uint64_t levels = levels_ & ~bit(0); levels != 0;) {
    const int level = take_lowest(levels);
    const int next = static_cast<int>((base_ns_ >> shift(level)) + 1) & (kSlots - 1);
    if ((occupied_[static_cast<std::size_t>(level)] & bit(next)) != 0) open_some(level, next, near);
  }
}

void TimerWheel::open_some(int level, int index, TimerHeap& near) noexcept {
  Slot& slot = slots_[static_cast<std::size_t>(level)][static_cast<std::size_t>(index)];
  std::size_t left = kAheadMax;
  set_head(static_cast<std::size_t>(level), index, settle(slot.head, left, near));
}

/// Moves the first timers of a list to where they belong now, as many as are `left` of what may be moved;
/// returns the rest of the list. The walk is sped up by the hints: each timer's points to the one kHints
/// further on.
Timer* TimerWheel::settle(Timer* timer, std::size_t& left, TimerHeap& near) noexcept {
  for (; timer != nullptr && left != 0; --left) {
    Timer* const next = timer->links_.next;
    prefetch_for_write(timer->links_.child);
    if (is_near(timer->deadline_ns_)) {
      timer->set_place(Timer::kInHeap);
      near.insert(*timer);
    } else {
      insert(*timer);
    }
    timer = next;
  }
  return timer;
}

std::int64_t TimerWheel::first_bound_ns() const noexcept {
  std::int64_t first_ns = kNever;
  for (std::uint64_t levels = levels_; levels != 0;) {
    const int level = take_lowest(levels);
    const auto l = static_cast<std::size_t>(level);
    const int own = static_cast<int>((base_ns_ >> shift(level)) & (kSlots - 1));
    const int index = (own + std::countr_zero(std::rotr(occupied_[l], own))) & (kSlots - 1);
    first_ns = std::min(first_ns, slots_[l][static_cast<std::size_t>(index)].earliest_ns);
  }
  for (std::uint64_t late = occupied_[kLate]; late != 0;)
    first_ns = std::min(first_ns, slots_[kLate][static_cast<std::size_t>(take_lowest(late))].earliest_ns);
  return first_ns;
}

}  // namespace weft
