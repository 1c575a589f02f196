// SPDX-License-Identifier: Apache-2.0
// The lazy timer (LT1) and its half of P1: times are the test's own.
#include "event_loop/timers/loop_timers.hpp"

#include "support/test_runner.hpp"

#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr auto kYes = WaitWord::Cancellable::kYes;

class LoopTimersTest : public testing::Test {
 protected:
  ~LoopTimersTest() override {
    timers.disarm(fiber);
    drop(fiber);
  }

  /// A fiber that never runs: only what waits of it is used.
  Fiber& make() {
    return test::make_fiber(home, [] {});
  }
  static void drop(Fiber& never_run) {
    test::drop_handle(never_run);
    test::drop_handle(never_run);
  }

  /// As Waiter::wait() does: arms unless a timer that is armed fires early enough. True: the first to fire.
  bool arm_if_needed(Fiber& waiter) {
    return waiter.deadline_ns.load() < waiter.armed_at_ns.load() && timers.arm(waiter);
  }
  std::size_t expire(std::int64_t now) {
    FiberQueue won;
    return timers.expire(now, won);
  }

  test::TestHome home;
  LoopTimers timers{0};
  Fiber& fiber = make();
};

TEST_F(LoopTimersTest, ADeadlineEndsTheWaitAtItsTimeAndNotBefore) {
  fiber.begin(kYes, 1000);
  EXPECT_TRUE(arm_if_needed(fiber));
  EXPECT_EQ(timers.next_ns(), 1000);
  EXPECT_EQ(expire(999), 0u);
  EXPECT_TRUE(fiber.word.waiting());
  EXPECT_EQ(expire(1000), 1u);
  EXPECT_EQ(fiber.word.outcome(), WaitOutcome::kTimedOut);
  EXPECT_EQ(timers.next_ns(), TimerQueue::kNever);
}

// The timer of an earlier wait fires when its waiter waits anew, in the same frame, without a deadline.
TEST_F(LoopTimersTest, P1_ALateTimerDoesNotEndANewWaitWithoutADeadline) {
  const WaitTicket first = fiber.begin(kYes, 1000);
  arm_if_needed(fiber);
  ASSERT_TRUE(fiber.word.try_win(first, WaitOutcome::kReady));
  fiber.begin(kYes);
  EXPECT_EQ(expire(2000), 0u);
  EXPECT_TRUE(fiber.word.waiting());
  EXPECT_EQ(fiber.armed_at_ns.load(), Waiter::kNoDeadline);
}

TEST_F(LoopTimersTest, P1_ALateTimerIsArmedAgainForTheDeadlineOfTheNewWait) {
  const WaitTicket first = fiber.begin(kYes, 1000);
  arm_if_needed(fiber);
  ASSERT_TRUE(fiber.word.try_win(first, WaitOutcome::kReady));
  fiber.begin(kYes, 5000);
  EXPECT_FALSE(arm_if_needed(fiber));  // LT1: what is armed fires early enough
  EXPECT_EQ(timers.next_ns(), 1000);
  EXPECT_EQ(expire(1000), 0u);
  EXPECT_TRUE(fiber.word.waiting());
  EXPECT_EQ(timers.next_ns(), 5000);
  EXPECT_EQ(expire(5000), 1u);
  EXPECT_EQ(fiber.word.outcome(), WaitOutcome::kTimedOut);
}

TEST_F(LoopTimersTest, LT1_AnEarlierDeadlineIsArmedAnewAndInterruptsALongerSleep) {
  const WaitTicket first = fiber.begin(kYes, 5000);
  arm_if_needed(fiber);
  ASSERT_TRUE(fiber.word.try_win(first, WaitOutcome::kReady));
  fiber.begin(kYes, 1000);
  EXPECT_TRUE(arm_if_needed(fiber));
  EXPECT_EQ(timers.next_ns(), 1000);
  EXPECT_EQ(expire(1000), 1u);
  EXPECT_EQ(expire(10'000), 0u);
}

TEST_F(LoopTimersTest, ATimerThatFindsNobodyWaitingStaysUnarmed) {
  const WaitTicket ticket = fiber.begin(kYes, 1000);
  arm_if_needed(fiber);
  ASSERT_TRUE(fiber.word.try_win(ticket, WaitOutcome::kReady));
  EXPECT_EQ(expire(1000), 0u);
  EXPECT_EQ(timers.next_ns(), TimerQueue::kNever);
  fiber.begin(kYes, 3000);
  EXPECT_TRUE(arm_if_needed(fiber));
  EXPECT_EQ(expire(3000), 1u);
}

TEST_F(LoopTimersTest, L6_AWaitThatWasCancelledIsNotTimedOutToo) {
  fiber.begin(kYes, 1000);
  arm_if_needed(fiber);
  ASSERT_TRUE(fiber.word.request_cancel());
  EXPECT_EQ(expire(1000), 0u);
  EXPECT_EQ(fiber.word.outcome(), WaitOutcome::kCancelled);
}

TEST_F(LoopTimersTest, EqualDeadlinesFireInTheOrderTheyWereArmed) {
  Fiber& second = make();
  for (Fiber* each : {&second, &fiber}) {
    each->begin(kYes, 1000);
    arm_if_needed(*each);
  }
  FiberQueue won;
  EXPECT_EQ(timers.expire(1000, won), 2u);
  EXPECT_EQ(won.pop(), &second);
  EXPECT_EQ(won.pop(), &fiber);
  drop(second);
}

TEST_F(LoopTimersTest, ADisarmedTimerDoesNotFire) {
  fiber.begin(kYes, 1000);
  arm_if_needed(fiber);
  timers.disarm(fiber);
  EXPECT_EQ(expire(1000), 0u);
  EXPECT_EQ(fiber.armed_at_ns.load(), Waiter::kNoDeadline);
}

TEST_F(LoopTimersTest, EqualDeadlinesOfManyExpireInBoundedPortions) {
  constexpr std::size_t kMany = 3 * LoopTimers::kExpiredAtOnce + 1;
  std::vector<Fiber*> many;
  for (std::size_t i = 0; i < kMany; ++i) {
    many.push_back(&make());
    many.back()->begin(kYes, 5'000'000);
    arm_if_needed(*many.back());
  }
  std::size_t woken = 0;
  while (timers.next_ns() <= 5'000'000) {
    const std::size_t portion = expire(5'000'000);
    EXPECT_LE(portion, LoopTimers::kExpiredAtOnce);
    EXPECT_GT(portion, 0u);
    woken += portion;
  }
  EXPECT_EQ(woken, kMany);
  for (Fiber* each : many) {
    EXPECT_EQ(each->word.outcome(), WaitOutcome::kTimedOut);
    drop(*each);
  }
}

}  // namespace
}  // namespace weft
