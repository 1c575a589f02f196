// SPDX-License-Identifier: Apache-2.0
#include "execution_context/scheduler/run_queue.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

/// Fibers of the pool that never run: a queue only passes them on.
class RunQueueTest : public testing::Test {
 protected:
  ~RunQueueTest() override {
    for (Fiber* fiber : fibers_) {
      fiber->release(StackPool::process(), nullptr);
      fiber->release(StackPool::process(), nullptr);
    }
  }

  Fiber& fiber() {
    fibers_.push_back(Fiber::create(StackPool::process(), nullptr, {.stack_size = 16 * 1024}));
    return *fibers_.back();
  }

 private:
  std::vector<Fiber*> fibers_;
};

using SmallQueue = BasicRunQueue<4>;

TEST_F(RunQueueTest, ComesOutInTheOrderItWentIn) {
  SmallQueue queue;
  Fiber &a = fiber(), &b = fiber(), &c = fiber();
  for (Fiber* each : {&a, &b, &c}) ASSERT_TRUE(queue.push(*each));
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(queue.pop(), &a);
  EXPECT_EQ(queue.pop_alone(), &b);
  EXPECT_EQ(queue.pop(), &c);
  EXPECT_EQ(queue.pop(), nullptr);
  EXPECT_EQ(queue.pop_alone(), nullptr);
  EXPECT_TRUE(queue.empty());
}

TEST_F(RunQueueTest, RefusesWhenFullAndTakesAgainAfterAPop) {
  SmallQueue queue;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(queue.push(fiber()));
  Fiber& fifth = fiber();
  EXPECT_FALSE(queue.push(fifth));
  EXPECT_NE(queue.pop(), nullptr);
  EXPECT_TRUE(queue.push(fifth));
  EXPECT_EQ(queue.size(), 4u);
}

TEST_F(RunQueueTest, TheOlderHalfIsShedWhenItIsFull) {
  SmallQueue queue;
  std::array<Fiber*, 4> all{};
  for (Fiber*& each : all) {
    each = &fiber();
    ASSERT_TRUE(queue.push(*each));
  }
  FiberQueue shed;
  queue.shed_half(shed);
  EXPECT_EQ(shed.size(), 2u);
  EXPECT_EQ(shed.pop(), all[0]);
  EXPECT_EQ(shed.pop(), all[1]);
  EXPECT_EQ(queue.pop(), all[2]);
}

TEST_F(RunQueueTest, AThiefTakesTheOlderHalfRoundedUp) {
  SmallQueue victim, thief;
  std::array<Fiber*, 3> all{};
  for (Fiber*& each : all) {
    each = &fiber();
    ASSERT_TRUE(victim.push(*each));
  }
  EXPECT_EQ(victim.steal_into(thief), 2u);
  EXPECT_EQ(thief.pop(), all[0]);
  EXPECT_EQ(thief.pop(), all[1]);
  EXPECT_EQ(victim.size(), 1u);
}

TEST_F(RunQueueTest, TheLastOneIsStolenToo) {
  SmallQueue victim, thief;
  Fiber& only = fiber();
  ASSERT_TRUE(victim.push(only));
  EXPECT_EQ(victim.steal_into(thief), 1u);
  EXPECT_EQ(thief.pop(), &only);
  EXPECT_TRUE(victim.empty());
  EXPECT_EQ(victim.steal_into(thief), 0u);
}

TEST_F(RunQueueTest, PositionsMayWrapRoundTheRingManyTimes) {
  SmallQueue victim, thief;
  Fiber &a = fiber(), &b = fiber();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(victim.push(a));
    ASSERT_TRUE(victim.push(b));
    ASSERT_EQ(victim.steal_into(thief), 1u);
    ASSERT_EQ(thief.pop(), &a);
    ASSERT_EQ(victim.pop(), &b);
  }
}

/// The owner pushes and pops, thieves steal: every fiber comes out exactly as often as it went in.
template <std::uint32_t kCapacity>
void owner_against_thieves(std::vector<Fiber*> fibers, int thieves, int rounds) {
  BasicRunQueue<kCapacity> victim;
  std::vector<Atomic<int>> out(fibers.size());
  const auto count = [&](Fiber& fiber) {
    const auto place = std::find(fibers.begin(), fibers.end(), &fiber);
    out[static_cast<std::size_t>(place - fibers.begin())].fetch_add(1, relaxed);
  };
  Atomic<bool> finished{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < thieves; ++i) {
    threads.emplace_back([&] {
      BasicRunQueue<kCapacity> own;
      while (!finished.load(acquire)) {
        victim.steal_into(own);
        while (Fiber* fiber = own.pop()) count(*fiber);
      }
    });
  }
  std::vector<int> in(fibers.size());
  for (int i = 0; i < rounds; ++i) {
    const std::size_t place = static_cast<std::size_t>(i) % fibers.size();
    ++in[place];
    while (!victim.push(*fibers[place])) {
      if (Fiber* fiber = victim.pop()) count(*fiber);
    }
    if (i % 3 == 0) {
      if (Fiber* fiber = victim.pop()) count(*fiber);
    }
  }
  while (Fiber* fiber = victim.pop()) count(*fiber);
  finished.store(true, release);
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < fibers.size(); ++i) EXPECT_EQ(out[i].load(relaxed), in[i]) << "fiber " << i;
}

TEST_F(RunQueueTest, NothingIsLostOrDoubledBetweenOwnerAndThieves) {
  std::vector<Fiber*> fibers;
  for (int i = 0; i < 7; ++i) fibers.push_back(&fiber());
  owner_against_thieves<4>(fibers, 2, 60'000);
  owner_against_thieves<256>(fibers, 3, 60'000);
}

}  // namespace
}  // namespace weft
