// SPDX-License-Identifier: Apache-2.0
#include "fiber/wait_word.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace weft {
namespace {

using enum WaitWord::Cancellable;

TEST(WaitWord, TheFirstToWinEndsTheWait) {
  WaitWord word;
  const WaitTicket ticket = word.begin(kNo);
  EXPECT_TRUE(word.waiting());
  EXPECT_TRUE(word.try_win(ticket, WaitOutcome::kReady));
  EXPECT_FALSE(word.try_win(ticket, WaitOutcome::kTimedOut));
  EXPECT_EQ(word.outcome(), WaitOutcome::kReady);
}

TEST(WaitWord, P1_ALateTicketDoesNotWinTheNextWait) {
  WaitWord word;
  const WaitTicket first = word.begin(kNo);
  ASSERT_TRUE(word.try_win(first, WaitOutcome::kReady));
  const WaitTicket second = word.begin(kNo);
  EXPECT_FALSE(word.try_win(first, WaitOutcome::kTimedOut));
  EXPECT_TRUE(word.try_win(second, WaitOutcome::kClosed));
}

TEST(WaitWord, ATicketOfTheLastFiberDoesNotWinInTheNextOne) {
  WaitWord word;
  const WaitTicket old = word.begin(kYes);
  ASSERT_TRUE(word.try_win(old, WaitOutcome::kReady));
  word.reset();
  static_cast<void>(word.begin(kYes));
  EXPECT_FALSE(word.try_win(old, WaitOutcome::kTimedOut));
}

TEST(WaitWord, ACancelRequestEndsOnlyCancellableWaitsAndStays) {
  WaitWord word;
  const WaitTicket shielded = word.begin(kNo);
  EXPECT_FALSE(word.request_cancel());
  EXPECT_TRUE(word.try_win(shielded, WaitOutcome::kReady)) << "the bit does not make tickets stale";
  static_cast<void>(word.begin(kYes));
  EXPECT_TRUE(word.cancel_requested());
  EXPECT_TRUE(word.request_cancel());
  EXPECT_EQ(word.outcome(), WaitOutcome::kCancelled);
  word.reset();
  EXPECT_FALSE(word.cancel_requested());
}

TEST(WaitWord, NothingIsWonWhileNobodyWaits) {
  WaitWord word;
  WaitTicket ticket;
  EXPECT_FALSE(word.current(ticket));
  EXPECT_FALSE(word.try_win(ticket, WaitOutcome::kReady));
  EXPECT_FALSE(word.request_cancel());
}

TEST(WaitWord, WW1_OfThreadsThatRaceExactlyOneWins) {
  WaitWord word;
  for (int round = 0; round < 500; ++round) {
    const WaitTicket ticket = word.begin(kYes);
    Atomic<int> winners{0};
    std::array<std::thread, 2> threads{
        std::thread([&] { winners.fetch_add(word.try_win(ticket, WaitOutcome::kReady) ? 1 : 0); }),
        std::thread([&] { winners.fetch_add(word.request_cancel() ? 1 : 0); })};
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(winners.load(), 1);
  }
}

}  // namespace
}  // namespace weft
