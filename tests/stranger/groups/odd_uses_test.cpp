// SPDX-License-Identifier: Apache-2.0
// Groups of nobody, groups that are used again, groups used by their children.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <stdexcept>
#include <tuple>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::Errc;

TEST(OddGroups, OfNobodyAreDoneAtOnce) {
  stranger::in_fiber([] {
    weft::TaskGroup<int> group;
    EXPECT_TRUE(group.wait().value().empty());
    EXPECT_FALSE(group.next().has_value());
    weft::TaskGroup<void> nothing;
    EXPECT_TRUE(nothing.wait());
    EXPECT_TRUE(weft::all());
    weft::TaskGroup<void> never_waited_for;
  });
}

TEST(OddGroups, MayBeUsedAgainAfterAWait) {
  stranger::in_fiber([] {
    weft::TaskGroup<int> group;
    group.spawn([] { return 1; });
    EXPECT_EQ(group.wait().value(), (std::vector{1}));
    group.spawn([] { return 2; });
    group.spawn([] { return 3; });
    EXPECT_EQ(group.wait().value(), (std::vector{2, 3}));
    EXPECT_TRUE(group.wait().value().empty());
  });
}

TEST(OddGroups, ThatHaveFailedStaySo) {
  stranger::in_fiber([] {
    weft::TaskGroup<int> group;
    group.spawn([]() -> weft::Result<int> { return Errc::closed; });
    EXPECT_EQ(group.wait().error(), Errc::closed);
    EXPECT_EQ(group.wait().error(), Errc::closed);
    weft::Result<void> slept;
    group.spawn([&] {
      slept = weft::sleep(1h);
      return 1;
    });
    EXPECT_EQ(group.wait().error(), Errc::closed);
    EXPECT_EQ(slept.error(), Errc::cancelled);
    EXPECT_FALSE(group.next().has_value());
  });
}

TEST(OddGroups, AfterDiscardStayCancelled) {
  stranger::in_fiber([] {
    weft::TaskGroup<int> group;
    group.spawn([]() -> int { throw std::runtime_error("dropped"); });
    group.discard();
    weft::Result<void> slept;
    group.spawn([&] {
      slept = weft::sleep(1h);
      return 1;
    });
    group.discard();
    EXPECT_EQ(slept.error(), Errc::cancelled);
  });
}

TEST(OddGroups, AnExceptionIsThrownOnceAndTheGroupHasFailed) {
  stranger::in_fiber([] {
    weft::TaskGroup<void> group;
    group.spawn([] { throw std::runtime_error("oh"); });
    EXPECT_THROW((void)group.wait(), std::runtime_error);
    EXPECT_FALSE(group.wait());
  });
}

TEST(OddGroups, AChildMaySpawnSiblingsAndTakeWhatTheyGive) {
  stranger::in_fiber([] {
    weft::Latch done(1);
    weft::TaskGroup<int> group;
    int taken = 0;
    group.spawn([&] {
      group.spawn([] { return 7; });
      taken = group.next()->value();
      done.count_down();
      return 1;
    });
    EXPECT_TRUE(done.wait());  // one at a time waits for the group
    EXPECT_EQ(group.wait().value(), (std::vector{1}));
    EXPECT_EQ(taken, 7);
  });
}

TEST(OddGroupsDeathTest, AChildDoesNotWaitForItself) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const char* const bug = "BUG: a child of a task group waits for the end of all children";
  EXPECT_DEATH(stranger::in_fiber([] {
                 weft::TaskGroup<void> group;
                 group.spawn([&] { (void)group.wait(); });
                 (void)group.wait();
               }),
               bug);
  EXPECT_DEATH(stranger::in_fiber([] {
                 weft::TaskGroup<void> group;
                 group.spawn([&] {
                   weft::TaskGroup<void> inner;
                   inner.spawn([&] {
                     const weft::CancelScope scope;
                     group.discard();
                   });
                   (void)inner.wait();
                 });
                 (void)group.wait();
               }),
               "BUG: ");
}

TEST(OddGroups, AScopeAroundTheWaitEndsIt) {
  stranger::in_fiber([] {
    weft::TaskGroup<int> group;
    int ended = 0;
    for (int i = 0; i < 3; ++i) {
      group.spawn([&] {
        const bool slept = weft::sleep(1h).has_value();
        ++ended;
        return slept ? 1 : 0;
      });
    }
    EXPECT_EQ(weft::with_timeout(1ms, [&] { return group.wait(); }).error(), Errc::timed_out);
    EXPECT_EQ(ended, 3) << "nobody is left behind";
  });
}

}  // namespace
