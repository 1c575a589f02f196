// SPDX-License-Identifier: Apache-2.0
// Who runs when: S1, S4, S6, L12, and the order of what comes from outside.
#include "fiber/baton.hpp"
#include "support/contexts.hpp"

#include <weft/this_fiber.hpp>

#include <numeric>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::Flag;

class FairnessTest : public test::EveryContext {
 protected:
  /// Two fibers that wake each other, without ever sleeping, until `stop`.
  struct PingPong {
    explicit PingPong(ExecutionContext& context, const Flag& stop)
        : first(context.spawn([this, &stop] { play(here, there, stop); })),
          second(context.spawn([this, &stop] { play(there, here, stop); })) {
      here.give();
    }
    void play(Baton& own, Baton& other, const Flag& stop) {
      while (!stop.is_set()) {
        own.take();
        ++turns;
        other.give();
      }
      other.give();
    }
    void join() {
      first.join_uncancellable();
      second.join_uncancellable();
    }

    Baton here, there;
    std::uint64_t turns = 0;
    JoinHandle<void> first, second;
  };
};
WEFT_UNDER_EVERY_CONTEXT(FairnessTest);

TEST_P(FairnessTest, S4_AFiberInTheRingRunsAlthoughAPingPongPairNeverSleeps) {
  context()
      .spawn([&] {
        Flag stop;
        PingPong pair(context(), stop);
        auto third = spawn([&] {
          yield();  // to the ring
          stop.set();
        });
        third.join_uncancellable();
        pair.join();
      })
      .join_uncancellable();
}

TEST_P(FairnessTest, L12_WhatComesFromOutsideRunsAlthoughTheLocalQueueIsNeverEmpty) {
  Flag stop;
  PingPong pair(context(), stop);
  auto busy = context().spawn([&] {
    while (!stop.is_set()) yield();
  });
  context().spawn([&] { stop.set(); }).join_uncancellable();
  busy.join_uncancellable();
  pair.join();
}

TEST_P(FairnessTest, L12_TimersAreNoticedAlthoughTheLocalQueueIsNeverEmpty) {
  Flag stop;
  PingPong pair(context(), stop);
  auto busy = context().spawn([&] {
    while (!stop.is_set()) yield();
  });
  context()
      .spawn([&] {
        const bool slept = sleep(3ms).has_value();
        stop.set();
        return slept;
      })
      .join_uncancellable();
  busy.join_uncancellable();
  pair.join();
}

TEST_P(FairnessTest, YieldRunsTheOthersFirst) {
  if (parallel()) GTEST_SKIP() << "the order is that of one thread";
  std::vector<int> order;
  context()
      .spawn([&] {
        auto other = spawn([&] {
          order.push_back(1);
          yield();
          order.push_back(3);
        });
        yield();
        order.push_back(2);
        other.join_uncancellable();
      })
      .join_uncancellable();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST_P(FairnessTest, L12_ExternalEnqueuesAreFirstInFirstOut) {
  if (parallel()) GTEST_SKIP() << "the order is that of one thread";
  constexpr int kFibers = 700;  // more than a batch, and than the ring
  std::vector<int> order;
  Flag started, go;
  auto blocker = context().spawn([&] {
    started.set();
    EXPECT_TRUE(go.wait());  // keeps the thread
  });
  ASSERT_TRUE(started.wait());
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < kFibers; ++i) handles.push_back(context().spawn([&order, i] { order.push_back(i); }));
  go.set();
  for (auto& handle : handles) handle.join_uncancellable();
  blocker.join_uncancellable();
  std::vector<int> expected(kFibers);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

TEST_P(FairnessTest, S1_SpawningAndWakingNeverSwitch) {
  if (parallel()) GTEST_SKIP() << "a sibling may run the other at once";
  context()
      .spawn([&] {
        bool ran = false;
        Baton baton;
        auto child = spawn([&] {
          ran = true;
          baton.take();
          ran = true;
        });
        EXPECT_FALSE(ran);
        yield();
        EXPECT_TRUE(std::exchange(ran, false));
        baton.give();
        EXPECT_FALSE(ran);
        child.join_uncancellable();
        EXPECT_TRUE(ran);
      })
      .join_uncancellable();
}

TEST_P(FairnessTest, S4_TheFiberWokenLastRunsNextAndTheOthersInTheirOrder) {
  if (parallel()) GTEST_SKIP() << "the order is that of one thread";
  std::vector<int> order;
  context()
      .spawn([&] {
        Baton batons[4];
        std::vector<JoinHandle<void>> handles;
        for (int i = 0; i < 4; ++i) {
          handles.push_back(spawn([&, i] {
            batons[i].take();
            order.push_back(i);
          }));
        }
        yield();  // they wait
        for (Baton& baton : batons) baton.give();
        for (auto& handle : handles) handle.join_uncancellable();
      })
      .join_uncancellable();
  EXPECT_EQ(order, (std::vector{3, 0, 1, 2}));
}

TEST_P(FairnessTest, WhatWasSpawnedRunsNewestFirst) {
  if (parallel()) GTEST_SKIP() << "the order is that of one thread";
  std::vector<int> order;
  context()
      .spawn([&] {
        std::vector<JoinHandle<void>> handles;
        for (int i = 0; i < 4; ++i) handles.push_back(spawn([&order, i] { order.push_back(i); }));
        for (auto& handle : handles) handle.join_uncancellable();
      })
      .join_uncancellable();
  EXPECT_EQ(order, (std::vector{3, 2, 1, 0}));
}

TEST_P(FairnessTest, TheFiberSpawnedFirstRunsAlthoughNewerOnesAreSpawnedForEver) {
  Flag stop;
  context()
      .spawn([&] {
        auto oldest = spawn([&] { stop.set(); });
        auto spawner = spawn([&] {
          while (!stop.is_set()) {
            auto first = spawn([] {}), second = spawn([] {});
            first.join_uncancellable();
            second.join_uncancellable();
          }
        });
        oldest.join_uncancellable();
        spawner.join_uncancellable();
      })
      .join_uncancellable();
  EXPECT_TRUE(stop.is_set());
}

TEST_P(FairnessTest, S4_AFiberInTheRingRunsAlthoughSpawnedOnesNeverEnd) {
  Flag stop;
  context()
      .spawn([&] {
        auto yielder = spawn([&] {
          yield();  // to the ring
          stop.set();
        });
        yield();
        auto spawner = spawn([&] {
          while (!stop.is_set()) spawn([] {}).join_uncancellable();
        });
        yielder.join_uncancellable();
        spawner.join_uncancellable();
      })
      .join_uncancellable();
  EXPECT_TRUE(stop.is_set());
}

TEST_P(FairnessTest, SwitchesAreCountedAlsoWhenAFiberYieldsToItself) {
  context()
      .spawn([&] {
        const std::uint64_t before = context().counters().switches;
        for (int i = 0; i < 500; ++i) yield();
        EXPECT_GE(context().counters().switches - before, 500u);  // so the monitor sees that it is not stuck
      })
      .join_uncancellable();
}

TEST(ConcurrentContextTest, S6_ItsFibersNeverRunInParallelWithEachOther) {
  constexpr int kFibers = 50;
  ConcurrentContext context("concurrent"), other("other");
  Atomic<int> inside{0};
  Atomic<int> overlaps{0};
  std::uint64_t plain = 0;  // what only they touch needs no lock
  std::vector<JoinHandle<void>> handles;
  for (int i = 0; i < kFibers; ++i) {
    handles.push_back((i % 2 == 0 ? context : other).spawn([&, i] {
      if (i % 2 != 0) return context.spawn([&] { ++plain; }).join_uncancellable();  // woken from elsewhere
      for (int step = 0; step < 100; ++step) {
        if (inside.fetch_add(1, relaxed) != 0) overlaps.fetch_add(1, relaxed);
        ++plain;
        inside.fetch_sub(1, relaxed);
        yield();
      }
    }));
  }
  for (auto& handle : handles) handle.join_uncancellable();
  EXPECT_EQ(overlaps.load(relaxed), 0);
  EXPECT_EQ(plain, 25u * 100 + 25);
}

}  // namespace
}  // namespace weft
