// SPDX-License-Identifier: Apache-2.0
#include "fiber/cancel_node.hpp"

#include "support/test_runner.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace weft {
namespace {

using enum WaitWord::Cancellable;
constexpr auto kPlain = CancelNode::Shield::kNo;
constexpr auto kShield = CancelNode::Shield::kYes;
constexpr std::int64_t kNever = CancelNode::kNoDeadline;

/// Waits for nothing that comes.
WaitOutcome wait_in_vain(WaitWord::Cancellable cancellable = kYes, std::int64_t until_ns = kNever) {
  Waiter& self = Waiter::current();
  self.begin(cancellable, until_ns);
  return self.wait();
}

/// By whoever knows that the fiber waits: ends the wait.
void win(Waiter& waiter, WaitOutcome outcome = WaitOutcome::kReady) {
  WaitTicket ticket;
  ASSERT_TRUE(waiter.word.current(ticket));
  ASSERT_TRUE(waiter.word.try_win(ticket, outcome));
  waiter.wake();
}

class CancelNodes : public testing::Test {
 protected:
  /// Runs `body` as a fiber until everything waits.
  template <class Body>
  Fiber& start(Body body) {
    Fiber& fiber = test::spawn(home, std::move(body));
    runner.run_until_idle();
    return fiber;
  }
  void expect_done(Fiber& fiber) {
    EXPECT_TRUE(fiber_done(fiber));
    test::drop_handle(fiber);
  }

  test::TestHome home;
  test::TestRunner runner{home};
};

TEST_F(CancelNodes, EndingAScopeWakesWhoWaitsInIt) {
  CancelNode* scope = nullptr;
  Fiber& fiber = start([&] {
    CancelNode node;
    node.enter(kNever, kPlain);
    scope = &node;
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kCancelled);
    node.leave();
  });
  scope->end(WaitOutcome::kCancelled);
  runner.run_until_idle();
  expect_done(fiber);
}

TEST_F(CancelNodes, AnEndedScopeFailsEveryLaterWaitWithoutSuspending) {
  Fiber& fiber = start([&] {
    CancelNode node;
    node.enter(kNever, kPlain);
    node.end(WaitOutcome::kCancelled);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(wait_in_vain(), WaitOutcome::kCancelled);
    node.leave();
  });
  expect_done(fiber);
}

TEST_F(CancelNodes, TheFirstReasonStays) {
  CancelNode node;
  node.link(nullptr, nullptr, kNever);
  node.end(WaitOutcome::kTimedOut);
  node.end(WaitOutcome::kCancelled);
  EXPECT_EQ(node.ended(), WaitOutcome::kTimedOut);
  node.unlink();
}

TEST_F(CancelNodes, AWaitAfterTheScopeIsNotEndedByIt) {  // CR2
  Fiber& fiber = start([&] {
    CancelNode node;
    node.enter(5, kPlain);
    node.end(WaitOutcome::kCancelled);
    node.leave();
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kReady);
  });
  EXPECT_EQ(fiber.deadline_ns.load(), kNever);
  win(fiber);
  runner.run_until_idle();
  expect_done(fiber);
}

TEST_F(CancelNodes, AnOuterScopeEndsTheWaitInAnInnerOne) {
  CancelNode* scope = nullptr;
  Fiber& fiber = start([&] {
    CancelNode outer, inner, innermost;
    scope = &outer;
    outer.enter(kNever, kPlain);
    inner.enter(kNever, kPlain);
    innermost.enter(kNever, kPlain);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kCancelled);
    innermost.leave();
    EXPECT_EQ(inner.ended(), WaitOutcome::kCancelled);
    inner.leave();
    outer.leave();
  });
  scope->end(WaitOutcome::kCancelled);
  runner.run_until_idle();
  expect_done(fiber);
}

TEST_F(CancelNodes, AnInnerScopeDoesNotEndTheOuterOne) {
  Fiber& fiber = start([&] {
    CancelNode outer, inner;
    outer.enter(kNever, kPlain);
    inner.enter(kNever, kPlain);
    inner.end(WaitOutcome::kTimedOut);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kTimedOut);
    inner.leave();
    EXPECT_EQ(outer.ended(), WaitOutcome::kReady);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kReady);
    outer.leave();
  });
  win(fiber);
  runner.run_until_idle();
  expect_done(fiber);
}

TEST_F(CancelNodes, ANodeMadeInAnEndedOneHasEnded) {  // CR6
  CancelNode parent, child;
  parent.link(nullptr, nullptr, kNever);
  parent.end(WaitOutcome::kTimedOut);
  child.link(&parent, nullptr, kNever);
  EXPECT_EQ(child.ended(), WaitOutcome::kTimedOut);
  child.unlink();
  parent.unlink();
}

TEST_F(CancelNodes, AWaitThatIsNotCancellableIsLeftAlone) {  // CR4
  CancelNode* scope = nullptr;
  bool ended = false;
  Fiber& fiber = start([&] {
    CancelNode node;
    node.enter(5, kPlain);
    scope = &node;
    EXPECT_EQ(wait_in_vain(kNo), WaitOutcome::kReady);
    ended = true;
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kCancelled);
    node.leave();
  });
  EXPECT_EQ(fiber.deadline_ns.load(), kNever) << "nor has it the scope's deadline";
  scope->end(WaitOutcome::kCancelled);
  runner.run_until_idle();
  EXPECT_FALSE(ended);
  win(fiber);
  runner.run_until_idle();
  expect_done(fiber);
}

TEST_F(CancelNodes, AShieldInheritsNeitherScopeNorTheFibersCancelNorADeadline) {  // CR3
  CancelNode* scope = nullptr;
  Fiber& fiber = start([&] {
    CancelNode outer, shield, within;
    outer.enter(5, kPlain);
    scope = &outer;
    shield.enter(kNever, kShield);
    within.enter(kNever, kPlain);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kReady);
    within.end(WaitOutcome::kTimedOut);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kTimedOut) << "a scope in the shield is one as ever";
    within.leave();
    shield.leave();
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kCancelled);
    outer.leave();
  });
  EXPECT_EQ(fiber.deadline_ns.load(), kNever);
  scope->end(WaitOutcome::kCancelled);
  fiber.cancel();
  runner.run_until_idle();
  EXPECT_FALSE(fiber_done(fiber));
  win(fiber);
  runner.run_until_idle();
  expect_done(fiber);
}

TEST_F(CancelNodes, TheFibersOwnCancelEndsAWaitInAScopeAndNotTheScope) {  // CR8
  Fiber& fiber = start([&] {
    CancelNode node;
    node.enter(kNever, kPlain);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kCancelled);
    EXPECT_EQ(node.ended(), WaitOutcome::kReady);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kCancelled);
    node.leave();
  });
  fiber.cancel();
  runner.run_until_idle();
  expect_done(fiber);
}

TEST_F(CancelNodes, TheEarlierOfTwoDeadlinesCounts) {
  Fiber& fiber = start([&] {
    CancelNode outer, inner;
    outer.enter(100, kPlain);
    inner.enter(200, kPlain);
    EXPECT_EQ(inner.deadline_ns(), 100);
    Waiter& self = Waiter::current();
    const WaitTicket sooner = self.begin(kYes, 50);
    EXPECT_EQ(self.deadline_ns.load(), 50);
    EXPECT_TRUE(self.word.try_win(sooner, WaitOutcome::kReady));
    const WaitTicket later = self.begin(kYes, 150);
    EXPECT_EQ(self.deadline_ns.load(), 100);
    EXPECT_TRUE(self.word.try_win(later, WaitOutcome::kReady));
    inner.leave();
    outer.leave();
  });
  expect_done(fiber);
}

TEST_F(CancelNodes, ATimeoutOfTheCallDoesNotEndTheScope) {
  Fiber& fiber = start([&] {
    CancelNode node;
    node.enter(100, kPlain);
    EXPECT_EQ(wait_in_vain(kYes, 50), WaitOutcome::kTimedOut);
    EXPECT_EQ(node.ended(), WaitOutcome::kReady);
    node.leave();
    Waiter::current().armed_at_ns.store(kNever);  // there are no timers here
  });
  win(fiber, WaitOutcome::kTimedOut);
  runner.run_until_idle();
  expect_done(fiber);
}

TEST_F(CancelNodes, ATimeoutAtTheScopesDeadlineEndsTheTopmostScopeThatHasIt) {
  Fiber& fiber = start([&] {
    CancelNode outermost, outer, inner, sibling;
    outermost.enter(200, kPlain);
    outer.enter(100, kPlain);
    inner.enter(kNever, kPlain);
    sibling.link(&outer, nullptr, kNever);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kTimedOut);
    EXPECT_EQ(inner.ended(), WaitOutcome::kTimedOut);
    EXPECT_EQ(outer.ended(), WaitOutcome::kTimedOut);
    EXPECT_EQ(sibling.ended(), WaitOutcome::kTimedOut);
    EXPECT_EQ(outermost.ended(), WaitOutcome::kReady);
    sibling.unlink();
    inner.leave();
    outer.leave();
    outermost.leave();
    Waiter::current().armed_at_ns.store(kNever);
  });
  win(fiber, WaitOutcome::kTimedOut);
  runner.run_until_idle();
  expect_done(fiber);
}

/// A node of a tree of a given shape, for sweeps.
struct Tree {
  CancelNode node;
  std::vector<std::unique_ptr<Tree>> children;

  Tree(CancelNode* parent, int depth, int width) {
    node.link(parent, nullptr, kNever);
    for (int i = 0; depth > 0 && i < width; ++i)
      children.push_back(std::make_unique<Tree>(&node, depth - 1, width));
  }
  ~Tree() {
    children.clear();
    node.unlink();
  }
  int count(WaitOutcome outcome) const {
    int sum = node.ended() == outcome;
    for (const auto& child : children) sum += child->count(outcome);
    return sum;
  }
};

TEST_F(CancelNodes, ASweepVisitsTheSubtreeAndNothingElse) {
  Tree tree(nullptr, 4, 3);
  tree.children[1]->children[2]->node.end(WaitOutcome::kTimedOut);
  EXPECT_EQ(tree.count(WaitOutcome::kTimedOut), 1 + 3 + 9);
  tree.children[1]->node.end(WaitOutcome::kCancelled);
  EXPECT_EQ(tree.count(WaitOutcome::kCancelled), 1 + 3 + 9 + 27 - 13);
  tree.node.end(WaitOutcome::kCancelled);
  EXPECT_EQ(tree.count(WaitOutcome::kReady), 0);
  EXPECT_EQ(tree.count(WaitOutcome::kTimedOut), 13);
}

TEST_F(CancelNodes, ADeepTreeNeedsNoStack) {
  std::vector<std::unique_ptr<CancelNode>> chain;
  CancelNode* parent = nullptr;
  for (int i = 0; i < 100'000; ++i) {
    chain.push_back(std::make_unique<CancelNode>());
    chain.back()->link(parent, nullptr, kNever);
    parent = chain.back().get();
  }
  chain.front()->end(WaitOutcome::kCancelled);
  EXPECT_EQ(parent->ended(), WaitOutcome::kCancelled);
  while (!chain.empty()) {
    chain.back()->unlink();
    chain.pop_back();
  }
}

// CR5: the node dies as soon as its owner sees that it has ended.
TEST_F(CancelNodes, AScopeMayBeLeftWhileItIsBeingEnded) {
  for (int i = 0; i < 500; ++i) {
    std::optional<CancelNode> parent(std::in_place), node(std::in_place);
    parent->link(nullptr, nullptr, kNever);
    node->link(&*parent, nullptr, kNever);
    std::thread ender(
        [&, from_above = i % 2 == 0] { (from_above ? *parent : *node).end(WaitOutcome::kCancelled); });
    while (node->ended() == WaitOutcome::kReady) std::this_thread::yield();
    node->unlink();
    node.reset();
    parent->unlink();
    parent.reset();
    ender.join();
  }
}

TEST_F(CancelNodes, APlainThreadsWaitIsEndedToo) {
  CancelNode node;
  node.link(nullptr, nullptr, kNever);
  std::thread thread([&] {
    CancelNode own;
    Waiter& self = Waiter::current();
    own.link(&node, &self, kNever);
    self.scope.store(&own);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kCancelled);
    self.scope.store(nullptr);
    own.unlink();
  });
  node.end(WaitOutcome::kCancelled);
  thread.join();
  node.unlink();
}

TEST_F(CancelNodes, AThreadsWaitTimesOutAtTheScopesDeadline) {
  std::thread([&] {
    CancelNode node;
    node.enter(Deadline::after_ns(1'000'000).time_ns(), kPlain);
    EXPECT_EQ(wait_in_vain(), WaitOutcome::kTimedOut);
    EXPECT_EQ(node.ended(), WaitOutcome::kTimedOut);
    node.leave();
  }).join();
}

using CancelNodesDeathTest = CancelNodes;

TEST_F(CancelNodesDeathTest, LeavingScopesInTheOrderOfEnteringIsABug) {
  CancelNode outer, inner;
  outer.enter(kNever, kPlain);
  inner.enter(kNever, kPlain);
  EXPECT_DEATH(outer.leave(), "reverse");
  inner.leave();
  outer.leave();
}

TEST_F(CancelNodesDeathTest, AScopeThatEndsBeforeItsGroupIsABug) {
  CancelNode scope, group;
  scope.link(nullptr, nullptr, kNever);
  group.link(&scope, nullptr, kNever);
  EXPECT_DEATH(scope.unlink(), "before a scope or a group");
  group.unlink();
  scope.unlink();
}

}  // namespace
}  // namespace weft
