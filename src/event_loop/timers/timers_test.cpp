// SPDX-License-Identifier: Apache-2.0
#include "event_loop/timers/timers.hpp"
#include "support/wheel_times.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

using test::kDay;
using test::kTick;

constexpr std::int64_t kStart = 3 * kDay + 12'345;

/// A queue and the timers of a test; whatever is left armed is cancelled at its end.
class TimerQueueTest : public testing::Test {
 protected:
  TimerQueueTest() = default;
  ~TimerQueueTest() override {
    for (Timer& timer : timers_) queue_.cancel(timer);
  }

  Timer& arm(std::int64_t deadline_ns) {
    queue_.arm(timers_.emplace_back(), deadline_ns);
    return timers_.back();
  }

  /// The deadlines of what expires at `now_ns`, in the order it is popped.
  std::vector<std::int64_t> pop_all(std::int64_t now_ns) {
    std::vector<std::int64_t> deadlines;
    while (Timer* timer = queue_.pop_expired(now_ns)) deadlines.push_back(timer->deadline_ns());
    return deadlines;
  }

  TimerQueue queue_{kStart};
  std::deque<Timer> timers_;
};

using Deadlines = std::vector<std::int64_t>;

TEST_F(TimerQueueTest, an_empty_queue_has_no_deadline) {
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(queue_.next_deadline_ns(), TimerQueue::kNever);
  EXPECT_EQ(queue_.pop_expired(kStart + kDay), nullptr);
}

TEST_F(TimerQueueTest, T1_a_timer_fires_at_its_nanosecond_and_not_one_earlier) {
  for (const std::int64_t delay : {std::int64_t{1}, kTick - 1, kTick, kTick + 1, 63 * kTick, 64 * kTick,
                                   65 * kTick, 60'000'000'000, kDay, 10'000 * kDay}) {
    SCOPED_TRACE(delay);
    TimerQueue queue(kStart);
    Timer timer;
    queue.arm(timer, kStart + delay);
    EXPECT_EQ(queue.next_deadline_ns(), kStart + delay);
    EXPECT_EQ(queue.pop_expired(kStart + delay - 1), nullptr);
    EXPECT_EQ(queue.next_deadline_ns(), kStart + delay);
    EXPECT_EQ(queue.pop_expired(kStart + delay), &timer);
    EXPECT_FALSE(timer.armed());
    EXPECT_TRUE(queue.empty());
  }
}

TEST_F(TimerQueueTest, T1_timers_of_one_tick_fire_in_the_order_of_their_nanoseconds) {
  const std::int64_t tick = (kStart / kTick + 10) * kTick;
  for (const std::int64_t offset : {5, 3, 9, 1}) arm(tick + offset);
  EXPECT_EQ(pop_all(tick + 3), (Deadlines{tick + 1, tick + 3}));
  EXPECT_EQ(queue_.next_deadline_ns(), tick + 5);
  arm(tick + 4);
  EXPECT_EQ(pop_all(tick + kTick), (Deadlines{tick + 4, tick + 5, tick + 9}));
}

TEST_F(TimerQueueTest,
       T1_equal_deadlines_fire_in_the_order_they_were_armed_whatever_level_they_were_armed_at) {
  const std::int64_t deadline_ns = kStart + 10'000'000'000;
  std::vector<Timer*> armed;
  for (std::int64_t now_ns = kStart; now_ns < deadline_ns; now_ns += 700'000'000) {
    EXPECT_TRUE(pop_all(now_ns).empty());
    armed.push_back(&arm(deadline_ns));
    armed.push_back(&arm(deadline_ns));
  }
  armed.push_back(&arm(deadline_ns));
  for (Timer* timer : armed) EXPECT_EQ(queue_.pop_expired(deadline_ns), timer);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(TimerQueueTest, deadlines_in_the_past_expire_at_once_in_order) {
  arm(kStart - kDay);
  arm(kStart);
  arm(-5);
  arm(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(queue_.next_deadline_ns(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(pop_all(kStart),
            (Deadlines{std::numeric_limits<std::int64_t>::min(), -5, kStart - kDay, kStart}));
}

TEST_F(TimerQueueTest, rearming_moves_a_timer_to_the_end_of_its_new_deadline) {
  Timer& first = arm(kStart + kDay);
  Timer& second = arm(kStart + 50);
  queue_.arm(first, kStart + 50);
  EXPECT_EQ(queue_.size(), 2U);
  EXPECT_EQ(queue_.pop_expired(kStart + 50), &second);
  EXPECT_EQ(queue_.pop_expired(kStart + 50), &first);
  EXPECT_EQ(queue_.pop_expired(kStart + 2 * kDay), nullptr);
}

TEST_F(TimerQueueTest, a_cancelled_timer_does_not_fire_and_can_be_armed_again) {
  for (const std::int64_t delay : {std::int64_t{1}, kTick * 3, kDay}) {
    Timer& timer = arm(kStart + delay);
    EXPECT_TRUE(timer.armed());
    EXPECT_TRUE(queue_.cancel(timer));
    EXPECT_FALSE(timer.armed());
    EXPECT_FALSE(queue_.cancel(timer));
    EXPECT_EQ(queue_.next_deadline_ns(), TimerQueue::kNever);
  }
  EXPECT_TRUE(pop_all(kStart + 2 * kDay).empty());
  queue_.arm(timers_.front(), kStart + 3 * kDay);
  EXPECT_EQ(queue_.pop_expired(kStart + 3 * kDay), &timers_.front());
}

TEST_F(TimerQueueTest, a_timer_is_cancelled_from_the_front_the_middle_and_the_back_of_a_slot) {
  for (std::size_t victim = 0; victim < 3; ++victim) {
    TimerQueue queue(kStart);
    std::array<Timer, 3> timers;
    for (Timer& timer : timers) queue.arm(timer, kStart + kDay);
    queue.cancel(timers[victim]);
    for (std::size_t i = 0; i < 3; ++i) {
      if (i == victim) continue;
      EXPECT_EQ(queue.pop_expired(kStart + kDay), &timers[i]);
    }
    EXPECT_EQ(queue.pop_expired(kStart + kDay), nullptr);
  }
}

TEST_F(TimerQueueTest, time_going_backwards_neither_fires_early_nor_loses_a_timer) {
  arm(kStart + 100 * kTick);
  EXPECT_TRUE(pop_all(kStart + 90 * kTick).empty());
  arm(kStart + 20 * kTick);
  arm(kStart + 50 * kTick);
  EXPECT_EQ(queue_.next_deadline_ns(), kStart + 20 * kTick);
  EXPECT_TRUE(pop_all(kStart + 10 * kTick).empty());
  EXPECT_EQ(pop_all(kStart + 20 * kTick), (Deadlines{kStart + 20 * kTick}));
  EXPECT_EQ(queue_.next_deadline_ns(), kStart + 50 * kTick);
  EXPECT_EQ(pop_all(kStart + kDay), (Deadlines{kStart + 50 * kTick, kStart + 100 * kTick}));
}

TEST_F(TimerQueueTest, deadlines_at_the_edges_of_every_slot_and_level_fire_in_order) {
  for (int bits = TimerWheel::kTickBits; bits < 62; ++bits) {
    SCOPED_TRACE(bits);
    const std::int64_t edge = std::int64_t{1} << bits;
    for (const std::int64_t start_ns : {std::int64_t{0}, edge - 1, edge, edge / 2 + 1, 63 * (edge / 64)}) {
      TimerQueue queue(start_ns);
      std::array<Timer, 3> timers;
      queue.arm(timers[2], edge + 1);
      queue.arm(timers[0], edge - 1);
      queue.arm(timers[1], edge);
      EXPECT_EQ(queue.next_deadline_ns(), edge - 1);
      EXPECT_EQ(queue.pop_expired(edge - 2), nullptr);
      EXPECT_EQ(queue.pop_expired(edge - 1), &timers[0]);
      EXPECT_EQ(queue.pop_expired(edge - 1), nullptr);
      EXPECT_EQ(queue.pop_expired(edge), &timers[1]);
      EXPECT_EQ(queue.pop_expired(edge), nullptr);
      EXPECT_EQ(queue.pop_expired(edge + 1), &timers[2]);
    }
  }
}

TEST_F(TimerQueueTest, the_whole_range_of_times_can_be_armed_from_any_start) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t start_ns :
       {kLeast, std::int64_t{-1}, std::int64_t{0}, kStart, TimerQueue::kNever - 1}) {
    SCOPED_TRACE(start_ns);
    TimerQueue queue(start_ns);
    std::array<Timer, 4> timers;
    queue.arm(timers[3], TimerQueue::kNever - 1);
    queue.arm(timers[2], kDay);
    queue.arm(timers[0], kLeast);
    queue.arm(timers[1], -kDay);
    for (Timer& timer : timers) EXPECT_EQ(queue.pop_expired(TimerQueue::kNever - 1), &timer);
  }
}

TEST_F(TimerQueueTest, a_retiring_loop_takes_all_its_timers_out_in_order) {
  const Deadlines deadlines{kStart - 1, kStart + 1, kStart + kTick, kStart + kDay, TimerQueue::kNever - 1};
  for (auto deadline = deadlines.rbegin(); deadline != deadlines.rend(); ++deadline) arm(*deadline);
  EXPECT_EQ(pop_all(TimerQueue::kNever), deadlines);
  EXPECT_TRUE(queue_.empty());
}

TEST(TimerQueueDeath, never_is_not_a_deadline_to_arm) {
  TimerQueue queue(kStart);
  Timer timer;
  EXPECT_DEATH(queue.arm(timer, TimerQueue::kNever), "BUG: armed a timer for never");
}

// Of thousands that fall due together.
class ManyTimersTest : public TimerQueueTest {
 protected:
  static constexpr std::size_t kMany = 20'000;
  static constexpr std::int64_t kDue = kStart + 10'000'000'000;

  void arm_many() {
    for (std::size_t i = 0; i < kMany; ++i) arm(kDue);
  }
};

TEST_F(ManyTimersTest, T5_those_that_fall_due_later_are_not_kept_by_those_before) {
  arm_many();
  ASSERT_NE(queue_.pop_expired(kDue), nullptr);
  Timer& tick = arm(kDue + 2 * kTick);
  std::size_t before_it = 0;
  while (queue_.pop_expired(kDue + 2 * kTick) != &tick) ++before_it;
  EXPECT_LE(before_it, 2 * TimerWheel::kOpenedAtOnce);
  EXPECT_EQ(pop_all(kDue + 2 * kTick).size(), kMany - 1 - before_it);
}

TEST_F(ManyTimersTest, next_deadline_says_that_some_are_left) {
  arm_many();
  for (std::size_t popped = 0; popped < kMany; ++popped) {
    ASSERT_LE(queue_.next_deadline_ns(), kDue);
    ASSERT_NE(queue_.pop_expired(kDue), nullptr);
  }
  EXPECT_EQ(queue_.next_deadline_ns(), TimerQueue::kNever);
}

TEST_F(ManyTimersTest, any_of_them_can_be_cancelled_or_armed_anew_meanwhile) {
  arm_many();
  for (std::size_t i = 0; i < 2 * TimerWheel::kOpenedAtOnce; ++i) queue_.pop_expired(kDue);
  std::size_t left = queue_.size();
  for (std::size_t i = 0; i < timers_.size(); ++i) {
    if (!timers_[i].armed()) continue;
    if (i % 3 == 0) left -= queue_.cancel(timers_[i]) ? 1 : 0;
    if (i % 3 == 1) queue_.arm(timers_[i], kDue + kDay);
  }
  EXPECT_EQ(queue_.size(), left);
  const Deadlines now = pop_all(kDue);
  EXPECT_TRUE(std::all_of(now.begin(), now.end(), [](std::int64_t deadline) { return deadline == kDue; }));
  const Deadlines later = pop_all(kDue + kDay);
  EXPECT_TRUE(
      std::all_of(later.begin(), later.end(), [](std::int64_t deadline) { return deadline == kDue + kDay; }));
  EXPECT_EQ(now.size() + later.size(), left);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(ManyTimersTest, none_fires_early_when_some_of_a_slot_are_due_and_others_are_not) {
  for (std::size_t i = 0; i < kMany; ++i) arm(kDue + static_cast<std::int64_t>(i) * 100'000);
  std::size_t fired = 0;
  for (std::int64_t now_ns = kDue; !queue_.empty(); now_ns += 50'000'000) {
    for (const std::int64_t deadline_ns : pop_all(now_ns)) {
      EXPECT_LE(deadline_ns, now_ns);
      EXPECT_GT(deadline_ns, now_ns - 50'000'000);
      ++fired;
    }
    ASSERT_GT(queue_.next_deadline_ns(), now_ns) << "T4";
  }
  EXPECT_EQ(fired, kMany);
}

}  // namespace
}  // namespace weft
