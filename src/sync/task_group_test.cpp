// SPDX-License-Identifier: Apache-2.0
#include <weft/cancel_scope.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "fiber/baton.hpp"
#include "support/any_context.hpp"
#include "sys/errors.hpp"

#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;

class TaskGroups : public test::InAnyContext {};
INSTANTIATE_TEST_SUITE_P(, TaskGroups, test::all_placements(), test::kind_name);

/// Waits for ever, or until cancelled.
Result<int> wait_in_vain() {
  if (auto slept = sleep_until(Deadline::never()); !slept) return slept.error();
  return 0;
}

TEST_P(TaskGroups, ResultsComeInTheOrderOfSpawning) {
  run([] {
    TaskGroup<int> group;
    for (int i = 0; i < 50; ++i) {
      group.spawn([i]() -> Result<int> {
        for (int j = 0; j < i % 7; ++j) yield();
        return i;
      });
    }
    const std::vector<int> results = group.wait().value();
    ASSERT_EQ(results.size(), 50u);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
  });
}

TEST_P(TaskGroups, ChildrenReturnPlainValuesThatOnlyMove) {
  run([] {
    TaskGroup<std::unique_ptr<std::string>> group;
    group.spawn([] { return std::make_unique<std::string>("one"); });
    group.spawn([text = std::make_unique<std::string>("two")]() mutable { return std::move(text); });
    const auto results = group.wait().value();
    EXPECT_EQ(*results[0] + *results[1], "onetwo");
  });
}

TEST_P(TaskGroups, AnEmptyGroupWaitsForNothing) {
  run([] {
    TaskGroup<int> group;
    EXPECT_TRUE(group.wait().value().empty());
    EXPECT_FALSE(group.next());
    TaskGroup<void> none;
    EXPECT_TRUE(none.wait());
  });
}

TEST_P(TaskGroups, AGroupIsUsedAgainAfterASuccess) {
  run([] {
    TaskGroup<int> group;
    for (int round = 0; round < 3; ++round) {
      group.spawn([round] { return round; });
      EXPECT_EQ(group.wait().value(), std::vector<int>{round});
    }
  });
}

TEST_P(TaskGroups, TheFirstFailureCancelsTheSiblingsAndIsReported) {
  run([] {
    std::vector<std::error_code> siblings(3);
    TaskGroup<int> group;
    for (std::error_code& error : siblings) {
      group.spawn([&error] {
        auto waited = wait_in_vain();
        error = waited.error();
        return waited;
      });
    }
    group.spawn([]() -> Result<int> { return sys::error_of(EPROTO); });
    EXPECT_TRUE(sys::is_errno(group.wait().error(), EPROTO));
    for (const std::error_code& error : siblings) EXPECT_EQ(error, Errc::cancelled);
  });
}

TEST_P(TaskGroups, AnExceptionCancelsTheSiblingsAndIsThrownByWait) {
  run([] {
    TaskGroup<int> group;
    group.spawn(wait_in_vain);
    group.spawn([]() -> int { throw std::runtime_error("oh"); });
    EXPECT_THROW({ [[maybe_unused]] auto waited = group.wait(); }, std::runtime_error);
  });
}

TEST_P(TaskGroups, AChildOfAFailedGroupStartsCancelled) {
  run([] {
    TaskGroup<void> group;
    group.cancel();
    bool cancelled = false;
    group.spawn([&] { cancelled = this_fiber::cancel_requested(); });
    EXPECT_EQ(group.wait().error(), Errc::cancelled);
    EXPECT_TRUE(cancelled);
  });
}

TEST_P(TaskGroups, TheScopeAroundTheGroupEndsTheChildren) {
  run([] {
    CancelScope scope(Deadline::after(1ms));
    TaskGroup<int> group;
    for (int i = 0; i < 3; ++i) group.spawn(wait_in_vain);
    EXPECT_EQ(group.wait().error(), Errc::timed_out);
  });
}

TEST_P(TaskGroups, AScopeAroundWaitOnlyEndsTheChildrenToo) {  // G6
  run([] {
    CancelScope around;
    TaskGroup<int> group;
    std::error_code seen;
    group.spawn([&] {
      auto waited = wait_in_vain();
      seen = waited.error();
      return waited;
    });
    {
      CancelScope scope(Deadline::after(1ms));
      EXPECT_EQ(group.wait().error(), Errc::timed_out);
    }
    EXPECT_EQ(seen, Errc::timed_out);
    EXPECT_TRUE(around.status()) << "the deadline was not that of what is around the group";
  });
}

TEST_P(TaskGroups, CancellingTheFiberThatWaitsEndsTheChildren) {
  Baton started;
  auto fiber = context.spawn([&] {
    TaskGroup<int> group;
    group.spawn([&] {
      started.give();
      return wait_in_vain();
    });
    return group.wait().error();
  });
  started.take();
  fiber.cancel();
  EXPECT_EQ(fiber.join_uncancellable(), Errc::cancelled);
}

TEST_P(TaskGroups, AGroupInAShieldIsShielded) {
  run([] {
    CancelScope scope;
    scope.cancel();
    const CancelShield shield;
    TaskGroup<int> group;
    group.spawn([]() -> Result<int> {
      if (auto slept = sleep(1ms); !slept) return slept.error();
      return 7;
    });
    EXPECT_EQ(group.wait().value(), std::vector<int>{7});
  });
}

TEST_P(TaskGroups, ChildrenOfAnotherContextAreEndedAndWaitedFor) {
  ConcurrentContext other("other");
  run([&] {
    TaskGroup<int> group;
    Baton started;
    group.spawn(other, [&] {
      EXPECT_EQ(this_fiber::context_name(), "other");
      started.give();
      return wait_in_vain();
    });
    started.take();
    group.cancel();
    EXPECT_EQ(group.wait().error(), Errc::cancelled);
  });
}

TEST_P(TaskGroups, APlainThreadMayOwnAGroup) {
  TaskGroup<int> group;
  for (int i = 0; i < 10; ++i) group.spawn(context, [i] { return i; });
  EXPECT_EQ(group.wait().value().size(), 10u);
}

TEST_P(TaskGroups, ChildrenSpawnSiblings) {
  run([] {
    TaskGroup<void> group;
    Atomic<int> ran{0};
    auto grow = [&](auto& self, int depth) -> void {
      ran.fetch_add(1);
      if (depth == 0) return;
      for (int i = 0; i < 2; ++i) group.spawn([&self, depth] { self(self, depth - 1); });
    };
    group.spawn([&] { grow(grow, 6); });
    EXPECT_TRUE(group.wait());
    EXPECT_EQ(ran.load(), 127);
  });
}

TEST_P(TaskGroups, GroupsNest) {
  run([] {
    TaskGroup<int> outer;
    for (int i = 0; i < 4; ++i) {
      outer.spawn([]() -> Result<int> {
        TaskGroup<int> inner;
        for (int j = 0; j < 4; ++j) inner.spawn(wait_in_vain);
        if (auto waited = inner.wait(); !waited) return waited.error();
        return 0;
      });
    }
    outer.spawn([]() -> Result<int> { return sys::error_of(EPIPE); });
    EXPECT_TRUE(sys::is_errno(outer.wait().error(), EPIPE));
  });
}

TEST_P(TaskGroups, NextGivesResultsInTheOrderOfCompletion) {
  run([] {
    TaskGroup<int> group;
    Baton batons[3];
    for (int i = 0; i < 3; ++i) {
      group.spawn([i, &batons] {
        batons[i].take();
        return i;
      });
    }
    for (int i : {2, 0, 1}) {
      batons[i].give();
      EXPECT_EQ(group.next()->value(), i);
    }
    EXPECT_FALSE(group.next());
    EXPECT_TRUE(group.wait().value().empty());
  });
}

TEST_P(TaskGroups, NextGivesEachFailureAndWaitTheFirst) {
  run([] {
    TaskGroup<int> group;
    group.spawn(wait_in_vain);
    group.spawn([]() -> Result<int> { return sys::error_of(EPIPE); });
    std::multiset<int> errors;
    while (auto result = group.next()) errors.insert(result->error().value());
    EXPECT_EQ(errors, (std::multiset<int>{EPIPE, static_cast<int>(Errc::cancelled)}));
    EXPECT_TRUE(sys::is_errno(group.wait().error(), EPIPE));
  });
}

TEST_P(TaskGroups, NextThrowsWhatEscapedFromTheChild) {
  run([] {
    TaskGroup<int> group;
    group.spawn([]() -> int { throw std::runtime_error("oh"); });
    EXPECT_THROW({ [[maybe_unused]] auto result = group.next(); }, std::runtime_error);
    EXPECT_FALSE(group.next());
  });
}

TEST_P(TaskGroups, ACancelledNextGivesItsErrorOnceAndThenTheChildrens) {
  run([] {
    CancelScope scope(Deadline::after(1ms));
    TaskGroup<int> group;
    group.spawn(wait_in_vain);
    group.spawn(wait_in_vain);
    int errors = 0;
    while (auto result = group.next()) {
      EXPECT_EQ(result->error(), Errc::timed_out);
      ++errors;
    }
    EXPECT_GE(errors, 2);
    EXPECT_LE(errors, 3);
  });
}

}  // namespace
}  // namespace weft
