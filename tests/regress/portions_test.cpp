// SPDX-License-Identifier: Apache-2.0
// What was wrong: who woke many did so in one section of a lock. TaskGroup::cancel() of 400,000 children kept
// the group's lock for 133 ms, Latch::count_down() of 200,000 waiters the queue bit. Each section deals with
// a portion.
#include "base/portion.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "execution_context/context.hpp"
#include "fiber/cancel_node.hpp"
#include "fiber/stack_pool.hpp"
#include "support/test_runner.hpp"
#include "sync/wait_queue.hpp"

#include <weft/channel.hpp>
#include <weft/condition_variable.hpp>
#include <weft/latch.hpp>
#include <weft/mutex.hpp>
#include <weft/semaphore.hpp>
#include <weft/shared_mutex.hpp>

#include <algorithm>
#include <functional>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr std::size_t kMany = 3 * kPortion + 1;

/// Stands before the home of fibers that wait, and sees who was won and not woken yet.
class Witness final : public Home {
 public:
  explicit Witness(Home& home) : home_(home) {}

  void watch(Fiber& fiber) {
    fiber.home = this;
    waiters.push_back(&fiber);
  }
  void enqueue(Fiber& fiber) noexcept override {
    const auto won = static_cast<std::size_t>(
        std::count_if(waiters.begin(), waiters.end(), [](Fiber* waiter) { return !waiter->word.waiting(); }));
    most_at_once = std::max(most_at_once, won - woken);
    ++woken;
    home_.enqueue(fiber);
    if (woken == 1) between();
  }

  std::vector<Fiber*> waiters;
  std::size_t woken = 0;
  std::size_t most_at_once = 0;
  std::function<void()> between = [] {};  ///< called when the first of them has been woken

 private:
  Home& home_;
};

class Portions : public testing::Test {
 protected:
  /// Starts `body` kMany times, each until it waits.
  void start(const std::function<void()>& body) {
    for (std::size_t i = 0; i < kMany; ++i) {
      Fiber& fiber = test::spawn(home, body);
      runner.run_until_idle();
      ASSERT_TRUE(fiber.word.waiting());
      witness.watch(fiber);
    }
  }
  /// In the middle of a wake-up: `waiter` gives up, and is gone.
  void give_up(Fiber& waiter) {
    WaitTicket ticket;
    ASSERT_TRUE(waiter.word.current(ticket));
    ASSERT_TRUE(waiter.word.try_win(ticket, WaitOutcome::kTimedOut));
    runner.resume(waiter);
    EXPECT_TRUE(fiber_done(waiter));
    ++witness.woken;
  }
  /// Their waits are over, and they are not back.
  void end_all_but_the_last() {
    for (std::size_t i = 0; i + 1 < kMany; ++i) {
      WaitTicket ticket;
      ASSERT_TRUE(witness.waiters[i]->word.current(ticket));
      ASSERT_TRUE(witness.waiters[i]->word.try_win(ticket, WaitOutcome::kTimedOut));
    }
  }
  void wake_all_but_the_last() {
    for (std::size_t i = 0; i + 1 < kMany; ++i) witness.waiters[i]->wake();
    runner.run_until_idle();
    EXPECT_EQ(witness.woken, kMany);
    for (Fiber* waiter : witness.waiters) {
      EXPECT_TRUE(fiber_done(*waiter));
      test::drop_handle(*waiter);
    }
  }
  void expect_all_woken_in_portions() {
    runner.run_until_idle();
    EXPECT_EQ(witness.woken, kMany);
    EXPECT_LE(witness.most_at_once, kPortion + 1);  // and the one that gave up
    for (Fiber* waiter : witness.waiters) {
      EXPECT_TRUE(fiber_done(*waiter));
      test::drop_handle(*waiter);
    }
  }

  test::TestHome home;
  test::TestRunner runner{home};
  Witness witness{home};
};

TEST_F(Portions, OfThoseWhoWaitForALatch) {
  Latch latch(1);
  std::size_t timed_out = 0;
  start([&] { timed_out += latch.wait_until(Deadline::never()) ? 0 : 1; });
  witness.between = [&] {
    give_up(*witness.waiters.back());
    EXPECT_TRUE(latch.try_wait());
  };
  latch.count_down();
  expect_all_woken_in_portions();
  EXPECT_EQ(timed_out, 1u);
}

TEST_F(Portions, OfThoseWhoWaitForAConditionVariable) {
  ConditionVariable changed;
  Mutex mutex;
  std::size_t timed_out = 0;
  const auto wait = [&] {
    std::unique_lock lock(mutex);
    timed_out += changed.wait_until(lock, Deadline::never()) ? 0 : 1;
  };
  start(wait);
  Fiber* late = nullptr;
  witness.between = [&] {
    give_up(*witness.waiters.back());
    late = &test::spawn(home, wait);  // comes after the notification
    runner.run_until_idle();
  };
  changed.notify_all();
  expect_all_woken_in_portions();
  EXPECT_EQ(timed_out, 1u);
  EXPECT_TRUE(late->word.waiting());
  changed.notify_one();
  runner.run_until_idle();
  EXPECT_TRUE(fiber_done(*late));
  test::drop_handle(*late);
}

TEST_F(Portions, OfThoseWhoGetAPermit) {
  Semaphore semaphore(0);
  std::size_t timed_out = 0;
  start([&] { timed_out += semaphore.acquire_until(Deadline::never()) ? 0 : 1; });
  witness.between = [&] {
    give_up(*witness.waiters.back());
    EXPECT_FALSE(semaphore.try_acquire());
  };
  semaphore.release(kMany);
  expect_all_woken_in_portions();
  EXPECT_EQ(timed_out, 1u);
  EXPECT_EQ(semaphore.available(), 1u);
}

TEST_F(Portions, OfThoseWhoReadBehindAWriter) {
  SharedMutex mutex;
  std::size_t timed_out = 0;
  ASSERT_TRUE(mutex.try_lock());
  start([&] {
    if (mutex.lock_shared_until(Deadline::never())) {
      mutex.unlock_shared();
    } else {
      ++timed_out;
    }
  });
  witness.between = [&] {
    give_up(*witness.waiters.back());
    EXPECT_FALSE(mutex.try_lock());
  };
  mutex.unlock();
  expect_all_woken_in_portions();
  EXPECT_EQ(timed_out, 1u);
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

TEST_F(Portions, OfThoseWhoReceiveFromAClosedChannel) {
  Channel<int> channel;
  std::size_t closed = 0;
  start([&] { closed += channel.receive_until(Deadline::never()).error() == Errc::closed ? 1 : 0; });
  witness.between = [&] { give_up(*witness.waiters.back()); };
  EXPECT_TRUE(channel.close());
  expect_all_woken_in_portions();
  EXPECT_EQ(closed, kMany - 1);
}

TEST_F(Portions, OfThoseWhoJoinAFiber) {
  Fiber& awaited = test::make_fiber(home, [] {});
  start([&] { join_fiber(awaited, Deadline::never(), WaitWord::Cancellable::kYes); });
  home.enqueue(awaited);
  expect_all_woken_in_portions();
  test::drop_handle(awaited);
}

/// A fiber's wait for a direction of `descriptor`, as that of a read.
WaitOutcome wait_at(Descriptor& descriptor, Direction direction) {
  Waiter& self = Waiter::current();
  WaitNode node;
  {
    std::scoped_lock lock(descriptor.lock);
    node.waiter = &self;
    node.ticket = self.begin(WaitWord::Cancellable::kYes);
    add_waiter_locked(descriptor, direction, node);
  }
  const WaitOutcome outcome = self.wait();
  std::scoped_lock lock(descriptor.lock);
  remove_waiter_locked(descriptor, direction, node);
  return outcome;
}

TEST_F(Portions, OfThoseWhoWaitAtADescriptorThatIsClosed) {
  Descriptor descriptor;
  std::size_t closed = 0;
  start([&] { closed += wait_at(descriptor, Direction::kRead) == WaitOutcome::kClosed ? 1 : 0; });
  witness.between = [&] {
    give_up(*witness.waiters.back());
    std::scoped_lock lock(descriptor.lock);
    EXPECT_TRUE(descriptor.nobody_waits_locked()) << "they were taken off";
  };
  WaitList taken;
  {
    std::scoped_lock lock(descriptor.lock);
    close_locked(descriptor, taken);
  }
  wake_taken(descriptor, taken, WaitOutcome::kClosed);
  expect_all_woken_in_portions();
  EXPECT_EQ(closed, kMany - 1);
}

TEST_F(Portions, OfThoseWhomAHangUpWakes) {
  Descriptor descriptor;
  start([&] { EXPECT_EQ(wait_at(descriptor, Direction::kRead), WaitOutcome::kReady); });
  FiberQueue won;
  WaitList taken;
  {
    std::scoped_lock lock(descriptor.lock);
    ASSERT_TRUE(
        signal_locked(descriptor, {.read = true, .write = true, .unusual = true, .hang_up = true}, won));
    EXPECT_EQ(won.size(), kPortion);
    take_all_waiters_locked(descriptor, taken);
  }
  wake_all(won);
  wake_taken(descriptor, taken, WaitOutcome::kReady);
  expect_all_woken_in_portions();
}

// Of many that have given up, and are not back yet, and one behind them.
TEST_F(Portions, OfThoseAtADescriptorWhoHaveGivenUp) {
  Descriptor descriptor;
  start([&] { wait_at(descriptor, Direction::kRead); });
  end_all_but_the_last();
  FiberQueue won;
  std::size_t sections = 1;
  {
    std::scoped_lock lock(descriptor.lock);
    for (bool more = signal_locked(descriptor, {.read = true}, won); more; ++sections) {
      EXPECT_TRUE(won.empty());
      more = win_one_locked(descriptor, Direction::kRead, won);
    }
  }
  EXPECT_GE(sections, kMany / kPortion);
  EXPECT_EQ(won.size(), 1u);
  EXPECT_EQ(won.pop(), witness.waiters.back());
  witness.waiters.back()->wake();
  wake_all_but_the_last();
}

TEST_F(Portions, OfThoseInAQueueWhoHaveGivenUp) {
  WaitChain chain;
  start([&] {
    Waiter& self = Waiter::current();
    QueueNode node;
    node.waiter = &self;
    node.ticket = self.begin(WaitWord::Cancellable::kYes);
    chain.push_back(node);
    self.wait();
    chain.remove_if_linked(node);
  });
  end_all_but_the_last();
  std::size_t sections = 1;
  while (chain.drop_gone()) ++sections;
  EXPECT_EQ(sections, kMany / kPortion + 1);
  QueueNode* const last = chain.win_first();
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->waiter, witness.waiters.back());
  EXPECT_TRUE(chain.empty());
  last->waiter->wake();
  wake_all_but_the_last();
}

TEST_F(Portions, ANotificationPassesThoseWhoHaveGivenUp) {
  ConditionVariable changed;
  Mutex mutex;
  std::size_t notified = 0;
  start([&] {
    std::unique_lock lock(mutex);
    notified += changed.wait_until(lock, Deadline::never()) ? 1 : 0;
  });
  end_all_but_the_last();
  changed.notify_one();
  wake_all_but_the_last();
  EXPECT_EQ(notified, 1u);
}

TEST_F(Portions, OfTheChildrenOfAScopeThatEnds) {
  CancelNode top;
  top.link(nullptr, nullptr, CancelNode::kNoDeadline);
  std::size_t cancelled = 0;
  std::vector<CancelNode> nodes(kMany);
  std::size_t next = 0;
  start([&] {
    Waiter& self = Waiter::current();
    CancelNode& own = nodes[next++];
    own.link(&top, &self, CancelNode::kNoDeadline);
    self.scope.store(&own, relaxed);
    self.begin(WaitWord::Cancellable::kYes);
    cancelled += self.wait() == WaitOutcome::kCancelled ? 1 : 0;
    self.scope.store(nullptr, relaxed);
    own.unlink();
  });
  CancelNode late;
  witness.between = [&] {
    EXPECT_NE(top.ended(), WaitOutcome::kReady);
    // The youngest come first. This one is where the sweep goes on.
    give_up(*witness.waiters[kMany - 1 - kPortion]);
    late.link(&top, nullptr, CancelNode::kNoDeadline);
    EXPECT_EQ(late.ended(), WaitOutcome::kCancelled);
  };
  top.end(WaitOutcome::kCancelled);
  for (std::size_t i = 0; i < kMany; ++i) {
    if (i == kMany - 1 - kPortion) continue;
    EXPECT_EQ(nodes[i].ended(), WaitOutcome::kCancelled) << i;
  }
  expect_all_woken_in_portions();
  EXPECT_EQ(cancelled, kMany - 1);
  late.unlink();
  top.unlink();
}

/// Counts those of `nodes` that have ended when the node that it listens to has.
class Counter final : public CancelListener {
 public:
  explicit Counter(const std::vector<CancelNode>& nodes) : nodes_(nodes) {}
  void node_ended() noexcept override {
    ended = static_cast<std::size_t>(std::count_if(nodes_.begin(), nodes_.end(), [](const CancelNode& node) {
      return node.ended() != WaitOutcome::kReady;
    }));
  }
  std::size_t ended = 0;

 private:
  const std::vector<CancelNode>& nodes_;
};

TEST_F(Portions, OfATreeOfScopesHoweverDeep) {
  std::vector<CancelNode> nodes(kMany);
  for (std::size_t i = 0; i < kMany; ++i)  // of three children each has one more below
    nodes[i].link(i == 0 ? nullptr : &nodes[i % 3 == 0 ? i - 1 : i / 2], nullptr, CancelNode::kNoDeadline);
  auto* const counter = new Counter(nodes);
  nodes[0].set_listener(*counter);
  nodes[0].end(WaitOutcome::kTimedOut);
  // A listener is user code, and may take long: it is told when everything has ended.
  EXPECT_EQ(counter->ended, kMany);
  for (const CancelNode& node : nodes) EXPECT_EQ(node.ended(), WaitOutcome::kTimedOut);
  for (std::size_t i = kMany; i-- != 0;) nodes[i].unlink();
  counter->release();
}

// What was wrong: the end of any context looked at every fiber of the process.
TEST(PortionsOfAContext, ItsEndTouchesFibersOfItsOwnOnly) {
  test::TestHome mine, others;
  StackPool pool;
  constexpr std::size_t kMine = 10, kOthers = 1000;
  std::vector<Fiber*> fibers;
  for (std::size_t i = 0; i < kMine + kOthers; ++i)
    fibers.push_back(Fiber::create(pool, nullptr, {.home = i % 101 == 0 ? &mine : &others}));
  const std::uint32_t mark = StackSlab::mark_of(static_cast<Home*>(&mine));
  std::size_t seen = 0;
  pool.for_each_marked_slot([&](std::uint32_t each) { return each == mark; },
                            [&](StackSlot& slot) {
                              EXPECT_EQ(Fiber::in_slot(slot).home, &mine);
                              ++seen;
                            });
  EXPECT_EQ(seen, kMine);
  for (Fiber* fiber : fibers) {
    fiber->release(pool, nullptr);
    fiber->release(pool, nullptr);
  }
}

}  // namespace
}  // namespace weft
