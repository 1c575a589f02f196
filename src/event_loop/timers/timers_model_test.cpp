// SPDX-License-Identifier: Apache-2.0
// The timer queue against a naive model, over long random sequences, and as a sleeping loop sees it.
#include "event_loop/timers/timers.hpp"
#include "support/wheel_times.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <gtest/gtest.h>

namespace weft {
namespace {

using test::kDay;
using test::kTick;

/// A queue and a sorted map that must agree: timers of equal deadlines stand in the map in the order they
/// were armed.
class ModelledQueue {
 public:
  ModelledQueue(std::int64_t start_ns, std::size_t timers)
      : queue_(start_ns), now_ns_(start_ns), timers_(timers) {}
  ~ModelledQueue() {
    for (Timer& timer : timers_) queue_.cancel(timer);
  }
  ModelledQueue(const ModelledQueue&) = delete;
  ModelledQueue& operator=(const ModelledQueue&) = delete;

  void arm(std::size_t i, std::int64_t deadline_ns) {
    forget(timers_[i]);
    queue_.arm(timers_[i], deadline_ns);
    places_[&timers_[i]] = model_.emplace(deadline_ns, &timers_[i]);
    ever_armed_.insert(deadline_ns);
  }

  void cancel(std::size_t i) {
    EXPECT_EQ(queue_.cancel(timers_[i]), forget(timers_[i]));
    cancelled_ = true;
  }

  void set_now(std::int64_t now_ns) { now_ns_ = now_ns; }
  std::int64_t now_ns() const { return now_ns_; }
  std::size_t timers() const { return timers_.size(); }

  /// One pop; false when both have nothing left.
  bool pop() {
    Timer* const popped = queue_.pop_expired(now_ns_);
    const bool expected = !model_.empty() && model_.begin()->first <= now_ns_;
    EXPECT_EQ(popped, expected ? model_.begin()->second : nullptr);
    if (popped == nullptr) {
      EXPECT_GT(queue_.next_deadline_ns(), now_ns_) << "T4";
      return false;
    }
    EXPECT_FALSE(popped->armed());
    return forget(*popped);
  }

  void check() const {
    EXPECT_EQ(queue_.size(), model_.size());
    EXPECT_EQ(queue_.empty(), model_.empty());
    const std::int64_t next_ns = queue_.next_deadline_ns();
    const std::int64_t earliest_ns = model_.empty() ? TimerQueue::kNever : model_.begin()->first;
    EXPECT_LE(next_ns, earliest_ns) << "T3";
    if (!cancelled_ || model_.empty()) {
      EXPECT_EQ(next_ns, earliest_ns) << "T3";
    } else {
      EXPECT_TRUE(ever_armed_.contains(next_ns)) << "T3";
    }
  }

 private:
  bool forget(Timer& timer) {
    const auto place = places_.find(&timer);
    if (place == places_.end()) return false;
    cancelled_ = true;
    model_.erase(place->second);
    places_.erase(place);
    if (model_.empty()) cancelled_ = false;
    return true;
  }

  TimerQueue queue_;
  std::int64_t now_ns_;
  std::vector<Timer> timers_;
  std::multimap<std::int64_t, Timer*> model_;
  std::unordered_map<Timer*, std::multimap<std::int64_t, Timer*>::iterator> places_;
  std::unordered_set<std::int64_t> ever_armed_;
  bool cancelled_ = false;
};

/// Distances that meet every level, the edges of slots and levels, equal deadlines and the past.
std::int64_t random_distance(std::mt19937_64& random) {
  const std::int64_t magnitude = std::int64_t{1} << random() % 58;
  switch (random() % 6) {
    case 0: return magnitude;
    case 1: return magnitude - 1;
    case 2: return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(magnitude));
    case 3: return static_cast<std::int64_t>(random() % 70) * kTick;
    case 4: return static_cast<std::int64_t>(random() % 60'000'000'000);
    default: return -static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * kTick));
  }
}

std::int64_t random_deadline(std::mt19937_64& random, std::int64_t now_ns) {
  const std::int64_t deadline_ns = now_ns + random_distance(random);
  return random() % 4 == 0 ? deadline_ns & -(kTick * 32) : deadline_ns;
}

void advance(std::mt19937_64& random, ModelledQueue& queue) {
  const std::int64_t now_ns = queue.now_ns();
  switch (random() % 16) {
    case 0: return queue.set_now(now_ns + kDay);
    case 1: return queue.set_now(now_ns - static_cast<std::int64_t>(random() % 1'000'000'000));
    case 2: return queue.set_now(now_ns + static_cast<std::int64_t>(random() % 60'000'000'000));
    default:
      return queue.set_now(now_ns +
                           static_cast<std::int64_t>(random() % (random() % 2 == 0 ? 100'000 : 1 << 26)));
  }
}

void random_step(std::mt19937_64& random, ModelledQueue& queue) {
  const std::size_t timer = random() % queue.timers();
  switch (random() % 8) {
    case 0:
    case 1:
    case 2:
    case 3: return queue.arm(timer, random_deadline(random, queue.now_ns()));
    case 4: return queue.cancel(timer);
    case 5: return void(queue.pop());
    default:
      advance(random, queue);
      while (random() % 16 != 0 && queue.pop()) continue;
  }
}

TEST(TimerQueueModel, agrees_with_a_sorted_map_over_long_random_sequences) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    ModelledQueue queue(static_cast<std::int64_t>(random() % (std::uint64_t{1} << 55)), 1 + random() % 200);
    for (int step = 0; step < 10'000; ++step) {
      random_step(random, queue);
      queue.check();
      if (testing::Test::HasFailure()) FAIL() << "seed " << seed << ", step " << step;
    }
    queue.set_now(TimerQueue::kNever - 1);
    while (queue.pop()) continue;
    queue.check();
  }
}

TEST(TimerQueueModel, agrees_with_a_sorted_map_when_time_goes_by_as_in_a_busy_loop) {
  std::mt19937_64 random(7);
  ModelledQueue queue(5 * kDay, 10'000);
  for (int step = 0; step < 60'000; ++step) {
    queue.arm(random() % queue.timers(),
              queue.now_ns() + static_cast<std::int64_t>(random() % 10'000'000'000));
    if (random() % 2 == 0) queue.cancel(random() % queue.timers());
    queue.set_now(queue.now_ns() + static_cast<std::int64_t>(random() % 1'000'000));
    while (queue.pop()) continue;
    queue.check();
    ASSERT_FALSE(testing::Test::HasFailure()) << "step " << step;
  }
}

/// Sleeps until the next deadline, as a loop does, until nothing is left; how often that was.
std::size_t wake_ups(TimerQueue& queue, std::size_t& fired) {
  std::size_t count = 0;
  std::int64_t now_ns = std::numeric_limits<std::int64_t>::min();
  while (!queue.empty()) {
    EXPECT_GT(queue.next_deadline_ns(), now_ns);
    now_ns = queue.next_deadline_ns();
    ++count;
    while (queue.pop_expired(now_ns) != nullptr) ++fired;
  }
  return count;
}

TEST(TimerQueueWakeUps, L13_a_sleeping_loop_wakes_exactly_once_for_each_deadline) {
  for (const std::size_t count : {1U, 10U, 20'000U}) {
    std::mt19937_64 random(count);
    TimerQueue queue(kDay);
    std::vector<Timer> timers(count);
    std::unordered_set<std::int64_t> deadlines;
    for (Timer& timer : timers) {
      const std::int64_t deadline_ns = kDay + static_cast<std::int64_t>(random() % 60'000'000'000);
      queue.arm(timer, deadline_ns);
      deadlines.insert(deadline_ns);
    }
    std::size_t fired = 0;
    EXPECT_EQ(wake_ups(queue, fired), deadlines.size());
    EXPECT_EQ(fired, count);
  }
}

TEST(TimerQueueWakeUps,
     L13_cancelled_timers_wake_a_sleeping_loop_at_most_once_for_each_level_of_a_timer_left) {
  for (const unsigned kept_of_hundred : {0U, 1U, 10U, 90U}) {
    std::mt19937_64 random(kept_of_hundred);
    TimerQueue queue(kDay);
    std::vector<Timer> timers(20'000);
    for (Timer& timer : timers) queue.arm(timer, kDay + static_cast<std::int64_t>(random() % 60'000'000'000));
    for (Timer& timer : timers) {
      if (random() % 100 >= kept_of_hundred) queue.cancel(timer);
    }
    const std::size_t left = queue.size();
    std::size_t fired = 0;
    EXPECT_LE(wake_ups(queue, fired), 3 * left);
    EXPECT_EQ(fired, left);
  }
}

TEST(TimerQueueWakeUps,
     L13_many_cancelled_timers_before_one_that_is_left_wake_a_sleeping_loop_twice_at_most) {
  TimerQueue queue(kDay);
  std::vector<Timer> timers(20'000);
  for (Timer& timer : timers) queue.arm(timer, kDay + 60'000'000'000 - (&timer - timers.data()));
  for (Timer& timer : timers) {
    if (&timer != &timers.front()) queue.cancel(timer);
  }
  std::size_t fired = 0;
  EXPECT_LE(wake_ups(queue, fired), 2U);
  EXPECT_EQ(fired, 1U);
}

TEST(TimerQueueWakeUps, L13_a_queue_whose_timers_were_all_cancelled_sleeps_for_ever) {
  TimerQueue queue(kDay);
  std::vector<Timer> timers(1000);
  for (std::size_t i = 0; i < timers.size(); ++i)
    queue.arm(timers[i], kDay + static_cast<std::int64_t>(i) * 60'000'000);
  for (Timer& timer : timers) queue.cancel(timer);
  EXPECT_EQ(queue.next_deadline_ns(), TimerQueue::kNever);
}

}  // namespace
}  // namespace weft
