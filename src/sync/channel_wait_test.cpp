// SPDX-License-Identifier: Apache-2.0
// What ends a wait on a channel, and what is lost by it (nothing); who may use a channel; L12.
#include "support/any_context.hpp"
#include "support/waiting.hpp"

#include <weft/channel.hpp>
#include <weft/this_fiber.hpp>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::spawn_waiting;
using test::until_it_waits;

class ChannelWaitTest : public test::InAnyContext {};

// -- deadlines ---------------------------------------------------------------------------------------------

TEST_P(ChannelWaitTest, AReceiveThatTimesOutTakesNothing) {
  run([] {
    Channel<int> channel(1);
    EXPECT_EQ(channel.receive_until(Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_TRUE(channel.try_send(1));  // nobody waits any more: it stays inside
    EXPECT_EQ(channel.size(), 1u);
    EXPECT_EQ(channel.receive_until(Deadline::after(1h)).value(), 1);
  });
}

TEST_P(ChannelWaitTest, ASendThatTimesOutKeepsItsValue) {
  run([] {
    for (std::size_t capacity : {0u, 1u}) {
      Channel<std::unique_ptr<int>> channel(capacity);
      for (std::size_t i = 0; i < capacity; ++i) channel.send(std::make_unique<int>(0)).value();
      auto value = std::make_unique<int>(1);
      EXPECT_EQ(channel.send_until(std::move(value), Deadline::after(1ms)).error(), Errc::timed_out);
      EXPECT_TRUE(value);
      EXPECT_EQ(channel.size(), capacity);
      for (std::size_t i = 0; i < capacity; ++i) EXPECT_EQ(*channel.receive().value(), 0);
      EXPECT_EQ(channel.try_receive().error(), Errc::would_block);
    }
  });
}

TEST_P(ChannelWaitTest, ADeadlineThatHasPassedStillLetsACallSucceedThatNeedNotWait) {
  run([] {
    Channel<int> channel(1);
    const Deadline past = Deadline::after(-1s);
    EXPECT_TRUE(channel.send_until(1, past));
    EXPECT_EQ(channel.send_until(2, past).error(), Errc::timed_out);
    EXPECT_EQ(channel.receive_until(past).value(), 1);
    EXPECT_EQ(channel.receive_until(past).error(), Errc::timed_out);
  });
}

TEST_P(ChannelWaitTest, WhatTimedOutInTheMiddleOfAQueueLeavesTheOthersInOrder) {
  run([] {
    Channel<int> channel;
    auto first = spawn_waiting([&] { return channel.receive().value(); });
    auto given_up = spawn_waiting([&] { return channel.receive_until(Deadline::after(1ms)).error(); });
    auto second = spawn_waiting([&] { return channel.receive().value(); });
    EXPECT_EQ(given_up.join_uncancellable(), Errc::timed_out);
    EXPECT_TRUE(channel.try_send(1));
    EXPECT_TRUE(channel.try_send(2));
    EXPECT_EQ(first.join_uncancellable(), 1);
    EXPECT_EQ(second.join_uncancellable(), 2);
  });
}

// -- cancellation ------------------------------------------------------------------------------------------

TEST_P(ChannelWaitTest, ACancelledReceiveTakesNothing) {
  run([] {
    Channel<int> channel;
    auto receiver = spawn_waiting([&] { return channel.receive().error(); });
    receiver.cancel();
    EXPECT_EQ(receiver.join_uncancellable(), Errc::cancelled);
    EXPECT_EQ(channel.try_send(1).error(), Errc::would_block);
  });
}

TEST_P(ChannelWaitTest, ACancelledSendKeepsItsValue) {
  run([] {
    Channel<std::unique_ptr<int>> channel;
    auto sender = spawn_waiting([&] {
      auto value = std::make_unique<int>(1);
      const std::error_code error = channel.send(std::move(value)).error();
      return error == Errc::cancelled && value != nullptr;
    });
    sender.cancel();
    EXPECT_TRUE(sender.join_uncancellable());
    EXPECT_EQ(channel.try_receive().error(), Errc::would_block);
  });
}

TEST_P(ChannelWaitTest, AFiberCancelledBeforeStillDoesWhatNeedsNoWait) {
  run([] {
    Channel<int> channel(1);
    auto fiber = spawn([&] {
      while (!this_fiber::cancel_requested()) yield();
      EXPECT_TRUE(channel.send(1));
      EXPECT_EQ(channel.send(2).error(), Errc::cancelled);
      EXPECT_EQ(channel.receive().value(), 1);
      EXPECT_EQ(channel.receive().error(), Errc::cancelled);
    });
    fiber.cancel();
    fiber.join_uncancellable();
  });
}

TEST_P(ChannelWaitTest, ARangeEndsWhenItsFiberIsCancelled) {
  run([] {
    Channel<int> channel(2);
    channel.send(1).value();
    Atomic<int> seen{0};
    auto receiver = spawn([&] {
      for (int value : channel) seen.fetch_add(value, seq_cst);
    });
    while (seen.load(seq_cst) == 0) yield();
    until_it_waits(receiver);
    receiver.cancel();
    receiver.join_uncancellable();
    EXPECT_TRUE(channel.try_send(2));
    EXPECT_EQ(channel.size(), 1u);
  });
}

// The race of a hand-over with a cancel request and a deadline: each value is received, or stays with its
// sender, whichever wins.
TEST_P(ChannelWaitTest, AValueAndTheEndOfAWaitNeverCross) {
  run([] {
    int sent = 0;
    int received = 0;
    for (int round = 0; round < 200; ++round) {
      Channel<int> channel;
      auto receiver = spawn([&, round] {
        const Deadline deadline = round % 2 == 0 ? Deadline::never() : Deadline::after(20us);
        return channel.receive_until(deadline).has_value() ? 1 : 0;
      });
      auto canceller = spawn([&] {
        if (round % 2 == 0) receiver.cancel();
      });
      if (round % 3 == 0) yield();
      if (channel.try_send(round)) ++sent;
      canceller.join_uncancellable();
      received += receiver.join_uncancellable();
    }
    EXPECT_EQ(sent, received);
  });
}

// -- who may use it ----------------------------------------------------------------------------------------

TEST_P(ChannelWaitTest, ConnectsPlainThreadsWithFibers) {
  Channel<int> to_fiber, to_thread(2);
  auto fiber = context.spawn([&] {
    for (int value : to_fiber) to_thread.send(value * 2).value();
    to_thread.close();
  });
  std::thread sender([&] {
    for (int i = 1; i <= 200; ++i) to_fiber.send(i).value();
    to_fiber.close();
  });
  int sum = 0;
  for (int value : to_thread) sum += value;
  sender.join();
  fiber.join_uncancellable();
  EXPECT_EQ(sum, 200 * 201);
}

TEST_P(ChannelWaitTest, ConnectsFibersOfSeveralContexts) {
  ParallelContext workers("workers", {.parallelism = 2});
  Channel<int> numbers, squares(8);
  std::vector<JoinHandle<void>> fibers;
  Atomic<int> working{3};
  for (int i = 0; i < 3; ++i) {
    fibers.push_back(workers.spawn([&] {
      for (int number : numbers) squares.send(number * number).value();
      if (working.fetch_sub(1, acq_rel) == 1) squares.close();
    }));
  }
  fibers.push_back(context.spawn([&] {
    for (int i = 1; i <= 300; ++i) numbers.send(i).value();
    numbers.close();
  }));
  run([&] {
    long sum = 0;
    for (int square : squares) sum += square;
    EXPECT_EQ(sum, 300L * 301 * 601 / 6);
  });
  for (auto& fiber : fibers) fiber.join_uncancellable();
}

TEST_P(ChannelWaitTest, DeliversEverythingFromManyProducersToManyConsumersOnce) {
  for (std::size_t capacity : {0u, 1u, 10u}) {
    Channel<int> channel(capacity);
    std::vector<JoinHandle<void>> producers;
    std::vector<JoinHandle<long>> consumers;
    for (int c = 0; c < 5; ++c) {
      consumers.push_back(context.spawn([&] {
        long sum = 0;
        for (int value : channel) sum += value;
        return sum;
      }));
    }
    for (int p = 0; p < 5; ++p) {
      producers.push_back(context.spawn([&, p] {
        for (int i = 0; i < 400; ++i) channel.send(p * 400 + i).value();
      }));
    }
    for (auto& producer : producers) producer.join_uncancellable();
    channel.close();
    long sum = 0;
    for (auto& consumer : consumers) sum += consumer.join_uncancellable();
    EXPECT_EQ(sum, 2000L * 1999 / 2) << "capacity " << capacity;
  }
}

TEST(ChannelOnPlainThreads, BlocksThemAndTimesThemOut) {
  Channel<int> channel;
  EXPECT_EQ(channel.receive_until(Deadline::after(1ms)).error(), Errc::timed_out);
  EXPECT_EQ(channel.send_until(1, Deadline::after(1ms)).error(), Errc::timed_out);
  std::thread receiver([&] { EXPECT_EQ(channel.receive().value(), 2); });
  channel.send(2).value();
  receiver.join();
  std::thread waiting([&] { EXPECT_EQ(channel.receive().error(), Errc::closed); });
  channel.close();
  waiting.join();
}

// -- L12 ---------------------------------------------------------------------------------------------------

constexpr int kManyMoreThanTheBudget = 10'000'000;

TEST_P(ChannelWaitTest, AFiberWhoseCallsNeverWaitLetsOthersRun) {
  run([] {
    Channel<int> channel(1);
    Atomic<bool> other_ran{false};
    auto other = spawn([&] { other_ran.store(true, seq_cst); });
    int steps = 0;
    for (; !other_ran.load(seq_cst) && steps < kManyMoreThanTheBudget; ++steps) {
      channel.send(steps).value();
      channel.receive().value();
    }
    EXPECT_LT(steps, kManyMoreThanTheBudget);
    other.join_uncancellable();
  });
}

TEST_P(ChannelWaitTest, AFiberWhoseCallsNeverWaitNoticesThatItIsCancelled) {
  run([] {
    Channel<int> channel(1);
    auto busy = spawn([&] {
      int steps = 0;
      while (steps < kManyMoreThanTheBudget && channel.send(1) && channel.receive()) ++steps;
      return steps;
    });
    busy.cancel();
    EXPECT_LT(busy.join_uncancellable(), kManyMoreThanTheBudget);
  });
}

INSTANTIATE_TEST_SUITE_P(, ChannelWaitTest, test::all_placements(), test::kind_name);

}  // namespace
}  // namespace weft
