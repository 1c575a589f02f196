// SPDX-License-Identifier: Apache-2.0
#include "execution_context/scheduler/global_queue.hpp"

#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

class GlobalQueueTest : public testing::Test {
 protected:
  ~GlobalQueueTest() override {
    for (Fiber* fiber : fibers_) {
      fiber->release(StackPool::process(), nullptr);
      fiber->release(StackPool::process(), nullptr);
    }
  }
  Fiber& fiber() {
    fibers_.push_back(Fiber::create(StackPool::process(), nullptr, {.stack_size = 16 * 1024}));
    return *fibers_.back();
  }
  GlobalQueue queue_;

 private:
  std::vector<Fiber*> fibers_;
};

TEST_F(GlobalQueueTest, IsFirstInFirstOut) {
  Fiber &a = fiber(), &b = fiber(), &c = fiber();
  queue_.push(a);
  FiberQueue more;
  more.push(b);
  more.push(c);
  queue_.push(more);
  EXPECT_EQ(queue_.size(), 3u);
  FiberQueue taken;
  queue_.take(taken, 2);
  EXPECT_EQ(taken.pop(), &a);
  EXPECT_EQ(taken.pop(), &b);
  EXPECT_FALSE(queue_.empty());
  queue_.take(taken, 100);
  EXPECT_EQ(taken.pop(), &c);
  EXPECT_TRUE(queue_.empty());
}

TEST_F(GlobalQueueTest, TakingFromAnEmptyOneBringsNothing) {
  FiberQueue taken;
  queue_.take(taken, 10);
  EXPECT_TRUE(taken.empty());
}

TEST_F(GlobalQueueTest, EachFiberIsTakenOnceByManyTakers) {
  constexpr int kRounds = 20'000;
  constexpr int kFibers = 16;
  std::vector<Fiber*> fibers;
  for (int i = 0; i < kFibers; ++i) fibers.push_back(&fiber());
  Atomic<int> taken_count{0};
  std::vector<std::thread> takers;
  for (int t = 0; t < 2; ++t) {
    takers.emplace_back([&] {
      while (taken_count.load(relaxed) < kRounds) {
        FiberQueue taken;
        queue_.take(taken, 4);
        while (Fiber* fiber = taken.pop()) {
          // Whoever has it may enqueue it again: were it taken twice, the chain would break.
          if (taken_count.fetch_add(1, relaxed) < kRounds - kFibers) queue_.push(*fiber);
        }
      }
    });
  }
  for (Fiber* each : fibers) queue_.push(*each);
  for (std::thread& thread : takers) thread.join();
  EXPECT_EQ(taken_count.load(relaxed), kRounds);
  EXPECT_TRUE(queue_.empty());
}

}  // namespace
}  // namespace weft
