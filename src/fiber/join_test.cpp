// SPDX-License-Identifier: Apache-2.0
#include "fiber/join.hpp"

#include <gtest/gtest.h>

#include "support/test_runner.hpp"

#include <latch>
#include <stdexcept>
#include <thread>

namespace weft {
namespace {

using test::drop_handle;
using test::spawn;
using test::TestHome;
using test::TestRunner;
using test::TestThreads;
using enum WaitWord::Cancellable;

WaitOutcome join(Fiber& fiber) { return join_fiber(fiber, Deadline::never(), kNo); }

TEST(Join, AFiberWaitsForAnother) {
  TestHome home;
  TestRunner runner(home);
  std::string order;
  Fiber& child = spawn(home, [&] {
    test::yield();
    order += "child ";
  });
  Fiber& parent = spawn(home, [&] {
    EXPECT_EQ(join(child), WaitOutcome::kReady);
    order += "parent";
  });
  runner.run_until_idle();
  EXPECT_EQ(order, "child parent");
  drop_handle(child);
  drop_handle(parent);
}

TEST(Join, AFiberThatIsDoneIsNotWaitedFor) {
  TestHome home;
  TestRunner runner(home);
  Fiber& child = spawn(home, [] {});
  runner.run_until_idle();
  EXPECT_EQ(join(child), WaitOutcome::kReady) << "this would block the thread for ever";
  drop_handle(child);
}

TEST(Join, SeveralWaitForOne) {
  TestHome home;
  TestRunner runner(home);
  int woken = 0;
  Fiber& child = spawn(home, [] {
    test::yield();
    test::yield();
  });
  for (int i = 0; i < 3; ++i) {
    drop_handle(spawn(home, [&] {
      join(child);
      ++woken;
    }));
  }
  runner.run_until_idle();
  EXPECT_EQ(woken, 3);
  drop_handle(child);
}

TEST(Join, APlainThreadBlocksUntilTheFiberIsDone) {
  TestHome home;
  TestThreads threads(home, 1);
  bool ran = false;
  Fiber& child = spawn(home, [&] {
    for (int i = 0; i < 100; ++i) test::yield();
    ran = true;
  });
  EXPECT_EQ(join(child), WaitOutcome::kReady);
  EXPECT_TRUE(ran);
  drop_handle(child);
}

TEST(Join, APlainThreadGivesUpAtItsDeadline) {
  TestHome home;  // nobody runs its fibers
  Fiber& child = test::make_fiber(home, [] {});
  EXPECT_EQ(join_fiber(child, Deadline::after_ns(1000), kNo), WaitOutcome::kTimedOut);
  EXPECT_TRUE(child.joiners.empty()) << "the node's frame is gone (P1)";
  drop_handle(child);
  drop_handle(child);
}

TEST(Join, ADeadlineArmsTheTimerOnce) {
  TestHome home;
  TestRunner runner(home);
  Fiber& child = spawn(home, [] { this_runner()->suspend(); });
  WaitOutcome outcome{};
  Fiber& parent = spawn(home, [&] { outcome = join_fiber(child, Deadline::at_ns(7), kNo); });
  runner.run_until_idle();
  ASSERT_EQ(runner.armed, &parent);
  EXPECT_EQ(parent.armed_at_ns.load(), 7);

  WaitTicket ticket;
  ASSERT_TRUE(parent.word.current(ticket));
  ASSERT_TRUE(parent.word.try_win(ticket, WaitOutcome::kTimedOut));
  parent.wake();
  runner.run_until_idle();
  EXPECT_EQ(outcome, WaitOutcome::kTimedOut);
  EXPECT_EQ(runner.armed, nullptr) << "a fiber that ends is taken off the timers";
  EXPECT_TRUE(child.joiners.empty());

  home.enqueue(child);
  runner.run_until_idle();
  drop_handle(child);
  drop_handle(parent);
}

TEST(Join, CancellingEndsACancellableWait) {
  TestHome home;
  TestRunner runner(home);
  WaitOutcome outcome{};
  Fiber& child = spawn(home, [] { this_runner()->suspend(); });
  Fiber& parent = spawn(home, [&] { outcome = join_fiber(child, Deadline::never(), kYes); });
  runner.run_until_idle();
  parent.cancel();
  runner.run_until_idle();
  EXPECT_EQ(outcome, WaitOutcome::kCancelled);
  EXPECT_TRUE(child.joiners.empty());
  home.enqueue(child);
  runner.run_until_idle();
  drop_handle(child);
  drop_handle(parent);
}

TEST(Join, ACancelRequestThatCameFirstEndsTheWaitAtOnce) {
  TestHome home;
  TestRunner runner(home);
  WaitOutcome outcome{};
  Fiber& child = spawn(home, [] { this_runner()->suspend(); });
  Fiber& parent = spawn(home, [&] { outcome = join_fiber(child, Deadline::never(), kYes); });
  parent.cancel();
  runner.run_until_idle();
  EXPECT_EQ(outcome, WaitOutcome::kCancelled);
  EXPECT_TRUE(child.joiners.empty());
  home.enqueue(child);
  runner.run_until_idle();
  drop_handle(child);
  drop_handle(parent);
}

TEST(Join, CancellingDoesNotEndAWaitThatIsNotCancellable) {
  TestHome home;
  TestRunner runner(home);
  bool joined = false;
  Fiber& child = spawn(home, [] { this_runner()->suspend(); });
  Fiber& parent = spawn(home, [&] {
    join(child);
    joined = true;
  });
  runner.run_until_idle();
  parent.cancel();
  runner.run_until_idle();
  EXPECT_FALSE(joined);
  home.enqueue(child);
  runner.run_until_idle();
  EXPECT_TRUE(joined);
  drop_handle(child);
  drop_handle(parent);
}

TEST(Join, ACancelledFiberIsStillCancelledInItsNextWaitButItsSuccessorIsNot) {
  TestHome home;
  TestRunner runner(home);
  Fiber& first = spawn(home, [] {});
  first.cancel();
  runner.run_until_idle();
  EXPECT_TRUE(first.word.cancel_requested());
  drop_handle(first);
  Fiber& second = spawn(home, [] {});
  ASSERT_EQ(&first, &second);
  EXPECT_FALSE(second.word.cancel_requested());
  runner.run_until_idle();
  drop_handle(second);
}

TEST(Join, FibersOfTwoThreadsJoinEachOther) {
  TestHome home;
  Atomic<int> finished{0};
  {
    TestThreads threads(home, 2);
    std::latch done(200);
    for (int i = 0; i < 200; ++i) {
      Fiber& child = spawn(home, [&finished] {
        test::yield();
        finished.fetch_add(1);
      });
      drop_handle(spawn(home, [&child, &done] {
        join(child);
        drop_handle(child);
        done.count_down();
      }));
    }
    done.wait();
  }
  EXPECT_EQ(finished.load(), 200);
}

void run_and_detach(const char* name, bool detach_first) {
  TestHome home;
  TestRunner runner(home);
  Fiber& fiber = spawn(home, [] { throw std::runtime_error("no such page"); },
                       {.name = name, .spawned_at = {"pages.cpp", 42}});
  if (detach_first) detach_fiber(fiber);
  runner.run_until_idle();
  if (!detach_first) detach_fiber(fiber);
}

TEST(JoinDeathTest, AnExceptionInADetachedFiberNamesItAndEndsTheProgram) {
  EXPECT_DEATH(
      run_and_detach("fetch", true),
      "an exception left fiber \"fetch\" \\(128 KiB stack, spawned at pages.cpp:42\\) and nobody joins it: "
      "std::runtime_error: no such page");
}

TEST(JoinDeathTest, DroppingTheHandleOfAFailedFiberEndsTheProgramToo) {
  EXPECT_DEATH(run_and_detach("", false), "an exception left fiber #[0-9]+ .*no such page");
}

TEST(JoinDeathTest, AnExceptionThatIsNoStdExceptionIsNamedByItsType) {
  const auto run = [] {
    TestHome home;
    TestRunner runner(home);
    Fiber& fiber = *Fiber::create(StackPool::process(), nullptr, {});
    fiber.home = &home;
    fiber.main = [](void*) { throw 7; };
    detach_fiber(fiber);
    home.enqueue(fiber);
    runner.run_until_idle();
  };
  EXPECT_DEATH(run(), "nobody joins it: int\n");
}

TEST(JoinDeathTest, AFiberThatJoinsItselfIsABug) {
  const auto run = [] {
    TestHome home;
    TestRunner runner(home);
    Fiber* self = nullptr;
    self = &spawn(home, [&] { join(*self); });
    runner.run_until_idle();
  };
  EXPECT_DEATH(run(), "BUG: a fiber joins itself");
}

TEST(JoinDeathTest, ASuspendingCallOutsideOfAFiberIsABug) {
  EXPECT_DEATH(this_fiber_required("yield()"),
               "BUG: yield\\(\\) outside of every fiber: call it inside weft::run\\(\\)");
}

}  // namespace
}  // namespace weft
