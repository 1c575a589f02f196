// SPDX-License-Identifier: Apache-2.0
#include "event_loop/usage_word.hpp"
#include "base/atomic.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weft {
namespace {

class UsageWordTest : public testing::Test {
 protected:
  UsageWordTest() { word.open(); }
  bool enter(std::uint32_t generation) {
    bool last = false;
    const bool entered = word.enter(generation, last);
    EXPECT_FALSE(last);
    return entered;
  }

  UsageWord word;
};

TEST_F(UsageWordTest, AVacantRecordIsNotEntered) {
  UsageWord vacant;
  bool last = false;
  EXPECT_FALSE(vacant.enter(vacant.generation(), last));
  EXPECT_FALSE(last);
}

TEST_F(UsageWordTest, OnlyTheRightGenerationEnters) {
  EXPECT_FALSE(enter(word.generation() + 1));
  EXPECT_TRUE(enter(word.generation()));
  EXPECT_FALSE(word.leave());
}

TEST_F(UsageWordTest, NobodyEntersAfterClose) {
  ASSERT_TRUE(enter(word.generation()));
  EXPECT_TRUE(word.close());
  EXPECT_FALSE(word.close());
  EXPECT_FALSE(enter(word.generation()));
  EXPECT_TRUE(word.leave());
}

TEST_F(UsageWordTest, U2_TheLastOfThoseInsideRetiresAndTheGenerationIsCountedUp) {
  const std::uint32_t generation = word.generation();
  ASSERT_TRUE(enter(generation));
  ASSERT_TRUE(enter(generation));
  EXPECT_TRUE(word.close());
  EXPECT_FALSE(word.leave());
  EXPECT_EQ(word.generation(), generation);
  EXPECT_TRUE(word.leave());
  EXPECT_EQ(word.generation(), generation + 1);
  EXPECT_FALSE(enter(generation));
  word.open();
  EXPECT_FALSE(enter(generation));
  EXPECT_TRUE(enter(generation + 1));
}

TEST_F(UsageWordTest, TheRecordStandsForOneFileAfterTheOther) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(enter(word.generation()));
    ASSERT_TRUE(word.close());
    ASSERT_TRUE(word.leave());
    ASSERT_FALSE(word.closing());
    word.open();
  }
  EXPECT_EQ(word.generation(), 1000u);
}

// Users come and go while one closes: exactly one call is told to retire the record (U2), stale ones included
// (U3).
TEST_F(UsageWordTest, U2_ExactlyOneRetiresWhoeverComesAndGoes) {
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t generation = word.generation();
    Atomic<int> retired{0};
    Atomic<bool> go{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&, closes = i == 0] {
        while (!go) std::this_thread::yield();
        for (int k = 0; k < 20; ++k) {
          bool last = false;
          if (word.enter(generation, last)) {
            if (closes && k == 10) static_cast<void>(word.close());
            last = word.leave();
          }
          if (last) ++retired;
        }
      });
    }
    go = true;
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(retired, 1);
    ASSERT_EQ(word.generation(), generation + 1);
    word.open();
  }
}

}  // namespace
}  // namespace weft
