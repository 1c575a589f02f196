// SPDX-License-Identifier: Apache-2.0
#include "event_loop/descriptor/usage_word.hpp"
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

using Entry = UsageWord::Entry;
using Exit = UsageWord::Exit;

TEST_F(UsageWordTest, OneUserHasTheTurnToWrite) {
  const std::uint32_t generation = word.generation();
  EXPECT_EQ(word.enter_to_write(generation), Entry::kTurn);
  EXPECT_EQ(word.enter_to_write(generation), Entry::kBusy);
  EXPECT_TRUE(enter(generation)) << "who reads does not mind";
  EXPECT_EQ(word.leave_writing(), Exit::kDone);
  EXPECT_EQ(word.enter_to_write(generation), Entry::kTurn);
  EXPECT_EQ(word.enter_to_write(generation + 1), Entry::kClosed);
  EXPECT_TRUE(word.give_up_turn());
  EXPECT_EQ(word.enter_to_write(generation), Entry::kTurn);
  EXPECT_EQ(word.leave_writing(), Exit::kDone);
  EXPECT_FALSE(word.leave());
  EXPECT_FALSE(word.leave());
}

TEST_F(UsageWordTest, ATurnThatIsAwaitedIsPassedOn) {
  const std::uint32_t generation = word.generation();
  EXPECT_EQ(word.enter_to_write(generation), Entry::kTurn);
  EXPECT_TRUE(enter(generation));
  EXPECT_FALSE(word.take_turn_or_announce_locked());
  EXPECT_TRUE(word.closing_or_awaited_locked());
  EXPECT_EQ(word.leave_writing(), Exit::kAwaited);
  EXPECT_FALSE(word.give_up_turn());
  EXPECT_FALSE(word.leave());
  word.nobody_awaits_turn_locked();
  EXPECT_EQ(word.enter_to_write(generation), Entry::kBusy) << "it was passed on, not given up";
  EXPECT_EQ(word.leave_writing(), Exit::kDone);
  EXPECT_TRUE(enter(generation));
  EXPECT_TRUE(word.take_turn_or_announce_locked());
  word.end_turns_locked();
  EXPECT_FALSE(word.leave());
  EXPECT_EQ(word.enter_to_write(generation), Entry::kTurn);
}

TEST_F(UsageWordTest, U2_AWriterMayBeTheLastToLeave) {
  const std::uint32_t generation = word.generation();
  EXPECT_EQ(word.enter_to_write(generation), Entry::kTurn);
  ASSERT_TRUE(enter(generation));
  EXPECT_TRUE(word.close());
  EXPECT_EQ(word.enter_to_write(generation), Entry::kClosed);
  EXPECT_FALSE(word.leave());
  EXPECT_EQ(word.leave_writing(), Exit::kLast);
  EXPECT_EQ(word.generation(), generation + 1);
  EXPECT_EQ(word.enter_to_write(generation + 1), Entry::kClosed) << "vacant";
}

TEST_F(UsageWordTest, AChildOfForkWaitsForNoUserOfItsParents) {
  const std::uint32_t generation = word.generation();
  ASSERT_TRUE(enter(generation));
  word.forget_parents_users();
  EXPECT_FALSE(word.turn_is_lost()) << "the parent read only";
  EXPECT_EQ(word.enter_to_write(generation), Entry::kTurn);
  EXPECT_FALSE(word.turn_is_lost());
  ASSERT_TRUE(enter(generation));
  EXPECT_FALSE(word.take_turn_or_announce_locked());

  word.forget_parents_users();
  EXPECT_TRUE(word.turn_is_lost());
  EXPECT_EQ(word.enter_to_write(generation), Entry::kBusy);
  ASSERT_TRUE(enter(generation)) << "who reads does not mind";
  EXPECT_TRUE(word.close());
  EXPECT_TRUE(word.leave()) << "nobody else is inside";
  word.open();
  EXPECT_FALSE(word.turn_is_lost());
  EXPECT_EQ(word.enter_to_write(generation + 1), Entry::kTurn);
}

}  // namespace
}  // namespace weft
