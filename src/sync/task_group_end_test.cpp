// SPDX-License-Identifier: Apache-2.0
// How groups end, however they are left, and what is left behind.
#include <weft/cancel_scope.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include "fiber/baton.hpp"
#include "support/any_context.hpp"

#include <memory>
#include <stdexcept>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;

class TaskGroupEnds : public test::InAnyContext {};
INSTANTIATE_TEST_SUITE_P(, TaskGroupEnds, test::all_placements(), test::kind_name);

/// Counts the copies of itself that live.
class Tallied {
 public:
  explicit Tallied(Atomic<int>& count) : count_(&count) { count_->fetch_add(1); }
  Tallied(const Tallied& other) : count_(other.count_) { count_->fetch_add(1); }
  Tallied& operator=(const Tallied&) = delete;
  ~Tallied() { count_->fetch_sub(1); }

 private:
  Atomic<int>* count_;
};

TEST_P(TaskGroupEnds, AGroupThatIsLeftCancelsAndJoinsItsChildren) {
  run([] {
    Atomic<int> alive{0};
    {
      TaskGroup<Tallied> group;
      for (int i = 0; i < 5; ++i) {
        group.spawn([guard = Tallied(alive)]() -> Result<Tallied> {
          if (auto slept = sleep_until(Deadline::never()); !slept) return slept.error();
          return guard;
        });
      }
      yield();
    }
    EXPECT_EQ(alive.load(), 0);
  });
}

TEST_P(TaskGroupEnds, AGroupThatIsLeftByAnExceptionJoinsItsChildren) {
  run([] {
    Atomic<int> alive{0};
    const auto leave = [&] {
      TaskGroup<void> group;
      group.spawn([guard = Tallied(alive)] { EXPECT_FALSE(sleep_until(Deadline::never())); });
      group.spawn([guard = Tallied(alive)] { throw std::runtime_error("hidden by the other one"); });
      yield();
      throw std::logic_error("left");
    };
    EXPECT_THROW(leave(), std::logic_error);
    EXPECT_EQ(alive.load(), 0);
  });
}

TEST_P(TaskGroupEnds, ResultsThatNobodyTookAreDestroyed) {
  run([] {
    Atomic<int> alive{0};
    {
      TaskGroup<Tallied> group;
      for (int i = 0; i < 5; ++i) group.spawn([&alive] { return Tallied(alive); });
      EXPECT_TRUE(group.next());
    }
    EXPECT_EQ(alive.load(), 0);
    TaskGroup<Tallied> failing;
    for (int i = 0; i < 5; ++i) failing.spawn([&alive] { return Tallied(alive); });
    failing.spawn([]() -> Result<Tallied> { return Errc::closed; });
    EXPECT_FALSE(failing.wait());
    EXPECT_EQ(alive.load(), 0);
  });
}

TEST_P(TaskGroupEnds, TheClosureIsGoneBeforeTheGroupIsTold) {
  run([] {
    for (int i = 0; i < 100; ++i) {
      Atomic<int> alive{0};
      TaskGroup<void> group;
      group.spawn([guard = Tallied(alive)] {});
      EXPECT_TRUE(group.wait());
      EXPECT_EQ(alive.load(), 0);
    }
  });
}

TEST_P(TaskGroupEnds, LaterExceptionsAreDropped) {
  run([] {
    TaskGroup<void> group;
    for (int i = 0; i < 5; ++i) group.spawn([] { throw std::runtime_error("oh"); });
    EXPECT_THROW({ [[maybe_unused]] auto waited = group.wait(); }, std::runtime_error);
    TaskGroup<int> other;
    for (int i = 0; i < 5; ++i) other.spawn([]() -> int { throw std::runtime_error("oh"); });
    EXPECT_THROW({ [[maybe_unused]] auto waited = other.wait(); }, std::runtime_error);
  });
}

// G1 and G5: the owner leaves as soon as it may, over and over.
TEST_P(TaskGroupEnds, AGroupMayDieWithItsLastChildStillOnTheWayOut) {
  run([] {
    for (int i = 0; i < 200; ++i) {
      auto group = std::make_unique<TaskGroup<int>>();
      for (int j = 0; j < 3; ++j) group->spawn([j] { return j; });
      EXPECT_EQ(group->wait().value(), (std::vector<int>{0, 1, 2}));
    }
  });
}

// G2 to G4, G6: failures, an outer cancel and spawns meet.
TEST_P(TaskGroupEnds, FailuresCancelsAndSpawnsMeet) {
  for (int round = 0; round < 60; ++round) {
    CancelScope* scope = nullptr;
    Baton made, cancelled;
    auto fiber = context.spawn([&] {
      CancelScope own;
      scope = &own;
      {
        TaskGroup<int> group;
        for (int i = 0; i < 8; ++i) {
          group.spawn([i, round]() -> Result<int> {
            if (auto slept = sleep(std::chrono::microseconds(i)); !slept) return slept.error();
            if ((i + round) % 5 == 0) return Errc::closed;
            return i;
          });
          if (i == 2) made.give();
          if (i % 3 == 0) yield();
        }
        EXPECT_FALSE(group.wait());
      }
      cancelled.take();
    });
    made.take();
    scope->cancel();
    cancelled.give();
    fiber.join_uncancellable();
  }
}

TEST_P(TaskGroupEnds, NoFiberIsLeft) {
  {
    TaskGroup<int> group;
    for (int i = 0; i < 100; ++i) group.spawn(context, [i] { return i; });
    EXPECT_TRUE(group.wait());
  }
  detail::Access::core(context).close();
  detail::Access::core(context).wait_until_drained();
  EXPECT_EQ(context.counters().fibers_spawned, context.counters().fibers_finished);
}

TEST(TaskGroupDeathTest, AnExceptionThatNobodyReceivesEndsTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        ConcurrentContext context("context");
        context
            .spawn([] {
              TaskGroup<void> group;
              group.spawn([] { throw std::runtime_error("oh"); });
              yield();
            })
            .join_uncancellable();
      },
      "neither wait\\(\\) nor next\\(\\)");
}

}  // namespace
}  // namespace weft
