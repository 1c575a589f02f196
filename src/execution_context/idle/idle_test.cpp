// SPDX-License-Identifier: Apache-2.0
#include "execution_context/idle/idle.hpp"

#include "sys/fault.hpp"

#include <thread>
#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(IdleSetTest, AnUnparkThatComesFirstIsRemembered) {
  Parker parker;
  parker.unpark();
  parker.unpark();
  parker.park();  // returns
  std::thread waker([&] { parker.unpark(); });
  parker.park();
  waker.join();
}

TEST(IdleSetTest, AnUnparkIsTakenOnceByASpinOrASleep) {
  Parker parker;
  EXPECT_FALSE(parker.try_take());
  parker.unpark();
  EXPECT_TRUE(parker.try_take());
  EXPECT_FALSE(parker.try_take());
  parker.unpark();
  EXPECT_FALSE(parker.park()) << "it did not have to sleep";
  EXPECT_FALSE(parker.try_take());
}

TEST(IdleSetTest, AnUnparkOfAThreadThatDoesNotSleepCallsNothing) {
  Parker parker;
  const sys::CallCounter counter;
  parker.unpark();
  parker.park();
  EXPECT_EQ(counter.counts().total(), 0u);
}

TEST(IdleSetTest, AWokenThreadCountsAsSearchingUntilItEndsItsSearch) {
  IdleSet idle;
  IdleThread thread;
  idle.announce(thread);
  EXPECT_TRUE(idle.anybody_parked());
  EXPECT_TRUE(idle.wake_one());
  EXPECT_FALSE(idle.anybody_parked());
  EXPECT_TRUE(idle.anybody_searches());
  thread.parker.park();  // the token is there
  EXPECT_TRUE(idle.end_search());
  EXPECT_FALSE(idle.anybody_searches());
}

TEST(IdleSetTest, AnAnnouncementIsTakenBackOnlyIfNobodyWasFaster) {
  IdleSet idle;
  IdleThread thread;
  idle.announce(thread);
  EXPECT_TRUE(idle.withdraw(thread));
  EXPECT_FALSE(idle.wake_one());
  idle.announce(thread);
  EXPECT_TRUE(idle.wake_one());
  EXPECT_FALSE(idle.withdraw(thread));
  thread.parker.park();
}

TEST(IdleSetTest, TheLastParkedIsWokenFirst) {
  IdleSet idle;
  IdleThread first, second;
  idle.announce(first);
  idle.announce(second);
  EXPECT_TRUE(idle.wake_one());
  EXPECT_FALSE(second.linked());
  EXPECT_TRUE(first.linked());
  EXPECT_TRUE(idle.withdraw(first));
}

TEST(IdleSetTest, WakeAllWakesEachParkedThreadOnce) {
  IdleSet idle;
  IdleThread threads[3];
  for (IdleThread& thread : threads) idle.announce(thread);
  idle.wake_all();
  EXPECT_FALSE(idle.anybody_parked());
  for (IdleThread& thread : threads) thread.parker.park();
  EXPECT_FALSE(idle.end_search());
  EXPECT_FALSE(idle.end_search());
  EXPECT_TRUE(idle.end_search());
}

TEST(IdleSetTest, OnlyOneThreadHasThePollDuty) {
  IdleSet idle;
  IdleThread a, b;
  ASSERT_TRUE(idle.begin_poll(a));
  EXPECT_FALSE(idle.begin_poll(b));
  EXPECT_FALSE(idle.begin_poll(a)) << "it is in the loop already";
  EXPECT_FALSE(idle.may_poll(b));
  idle.end_poll(a, false);
  EXPECT_TRUE(idle.poll_duty_free());
  EXPECT_TRUE(idle.begin_poll(b));
}

TEST(IdleSetTest, AKeptDutyCanBeTakenUpAgainByItsKeeperOnly) {
  IdleSet idle;
  IdleThread keeper, other;
  ASSERT_TRUE(idle.begin_poll(keeper));
  idle.end_poll(keeper, true);
  EXPECT_FALSE(idle.poll_duty_free());
  EXPECT_TRUE(idle.may_poll(keeper));
  EXPECT_FALSE(idle.begin_poll(other));
  EXPECT_TRUE(idle.begin_poll(keeper));
}

TEST(IdleSetTest, ADutyIsRevokedOnlyWhileItIsKeptOutsideTheLoop) {
  IdleSet idle;
  IdleThread keeper, other;
  EXPECT_FALSE(idle.revoke_poll_duty(keeper));
  ASSERT_TRUE(idle.begin_poll(keeper));
  EXPECT_FALSE(idle.revoke_poll_duty(keeper)) << "it is polling";
  idle.end_poll(keeper, true);
  EXPECT_FALSE(idle.revoke_poll_duty(other));
  EXPECT_TRUE(idle.revoke_poll_duty(keeper));
  EXPECT_TRUE(idle.begin_poll(other));
}

// S2 in small: one word of work, one sleeper, one submitter. A lost wake-up hangs the test.
TEST(IdleSetTest, NoWakeUpIsLostBetweenASubmitterAndASleeper) {
  constexpr int kRounds = 30'000;
  IdleSet idle;
  Atomic<int> work{0};
  IdleThread sleeper;
  std::thread thread([&] {
    for (int taken = 0; taken < kRounds;) {
      if (work.load(acquire) > taken) {
        ++taken;
        continue;
      }
      idle.announce(sleeper);
      full_fence();
      if (work.load(relaxed) > taken && idle.withdraw(sleeper)) continue;
      sleeper.parker.park();
      idle.end_search();
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    work.store(i + 1, release);
    full_fence();
    if (!idle.anybody_searches()) idle.wake_one();
    if (i % 4 == 0) std::this_thread::yield();
  }
  // A searcher that was seen looks once more before it parks; so does the last round's.
  thread.join();
}

}  // namespace
}  // namespace weft
