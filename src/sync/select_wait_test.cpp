// SPDX-License-Identifier: Apache-2.0
// How a select that waits ends: by deadlines, cancel requests, the ends of fibers, and other selects.
#include "support/any_context.hpp"
#include "support/branches.hpp"
#include "support/waiting.hpp"

#include <weft/channel.hpp>
#include <weft/select.hpp>
#include <weft/this_fiber.hpp>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::kNever;
using test::spawn_waiting;

class SelectWaitTest : public test::InAnyContext {};

constexpr auto kAnything = [](auto&&...) {};

// -- deadlines ---------------------------------------------------------------------------------------------

TEST_P(SelectWaitTest, TakesItsDeadlineWhenNothingElseCame) {
  run([] {
    Channel<int> channel;
    int times = 0;
    const Selected selected =
        select(receive(channel, kNever), after(1ms, [&] { ++times; }), send(channel, 1, kNever));
    EXPECT_EQ(selected.index(), 1u);
    EXPECT_EQ(times, 1);
    EXPECT_EQ(channel.try_send(1).error(), Errc::would_block);
    EXPECT_EQ(channel.try_receive().error(), Errc::would_block);
  });
}

TEST_P(SelectWaitTest, ADeadlineThatHasPassedLosesToAReadyBranch) {
  run([] {
    Channel<int> channel(1);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(select(after(-1s, kNever), send(channel, i, kAnything)).index(), 1u);
      EXPECT_EQ(select(after(Deadline::after(0s), kNever), receive(channel, kAnything)).index(), 1u);
    }
  });
}

TEST_P(SelectWaitTest, OfSeveralDeadlinesTheEarliestCounts) {
  run([] {
    Channel<int> channel;
    EXPECT_EQ(
        select(after(1h, kNever), receive(channel, kNever), after(1ms, kAnything), after(2h, kNever)).index(),
        2u);
    EXPECT_EQ(select(after(1ms, kAnything), after(1h, kNever)).index(), 0u);
  });
}

TEST_P(SelectWaitTest, MayBeUsedAgainAndAgainWithDeadlinesThatDoNotComeTrue) {
  run([] {
    Channel<int> channel;
    auto sender = spawn([&] {
      for (int i = 0; i < 100; ++i) channel.send(i).value();
    });
    int sum = 0;
    for (int i = 0; i < 100; ++i) {
      select(receive(channel, [&](Result<int> value) { sum += *value; }), after(1h, kNever));
    }
    EXPECT_EQ(sum, 4950);
    sender.join_uncancellable();
  });
}

// -- cancellation ------------------------------------------------------------------------------------------

TEST_P(SelectWaitTest, ACancelledSelectTakesNoBranch) {
  run([] {
    Channel<std::unique_ptr<int>> channel;
    auto selecting = spawn_waiting([&] {
      auto value = std::make_unique<int>(1);
      const Selected selected =
          select(receive(channel, kNever), send(channel, std::move(value), kNever), after(1h, kNever));
      EXPECT_FALSE(selected);
      EXPECT_EQ(selected.error(), Errc::cancelled);
      return value != nullptr;
    });
    selecting.cancel();
    EXPECT_TRUE(selecting.join_uncancellable());
    EXPECT_EQ(channel.try_receive().error(), Errc::would_block);
    EXPECT_EQ(channel.try_send(nullptr).error(), Errc::would_block);
  });
}

TEST_P(SelectWaitTest, ALoopOfSelectsThatNeverWaitNoticesThatItIsCancelled) {
  run([] {
    Channel<int> channel(1);
    constexpr int kMany = 100'000;
    auto busy = spawn([&] {
      int steps = 0;
      while (steps < kMany && select(send(channel, 1, kAnything), receive(channel, kAnything))) ++steps;
      return steps;
    });
    busy.cancel();
    EXPECT_LT(busy.join_uncancellable(), kMany);
  });
}

TEST_P(SelectWaitTest, ALoopThatPollsWithOtherwiseLetsOthersRun) {
  run([] {
    Channel<int> channel;
    auto other = spawn([&] { channel.send(1).value(); });
    bool received = false;
    int steps = 0;
    constexpr int kMany = 10'000'000;
    for (; !received && steps < kMany; ++steps) {
      select(receive(channel, [&](Result<int>) { received = true; }), otherwise([] {}));
    }
    EXPECT_TRUE(received);
    other.join_uncancellable();
  });
}

// -- joins -------------------------------------------------------------------------------------------------

TEST_P(SelectWaitTest, JoinsAFiberThatHasEnded) {
  run([] {
    Channel<int> channel;
    auto fiber = spawn([] { return 42; });
    while (!fiber.done()) yield();
    int result = 0;
    EXPECT_EQ(select(receive(channel, kNever), join(fiber, [&](int value) { result = value; })).index(), 1u);
    EXPECT_EQ(result, 42);
    EXPECT_FALSE(fiber.joinable());
  });
}

TEST_P(SelectWaitTest, WaitsForTheEndOfTheFirstOfSeveralFibers) {
  run([] {
    Channel<int> go;
    auto slow = spawn([&] { go.receive().value(); });
    auto quick = spawn([] { yield(); });
    EXPECT_EQ(select(join(slow, kNever), join(quick, [] {}), after(1h, kNever)).index(), 1u);
    EXPECT_TRUE(slow.joinable());
    EXPECT_FALSE(quick.joinable());
    go.send(1).value();
    EXPECT_EQ(select(join(slow, [] {})).index(), 0u);
  });
}

TEST_P(SelectWaitTest, AJoinThatIsNotTakenLeavesTheHandle) {
  run([] {
    Channel<int> go;
    auto fiber = spawn([&] { return go.receive().value(); });
    EXPECT_EQ(select(join(fiber, kNever), after(1ms, kAnything)).index(), 1u);
    EXPECT_EQ(select(join(fiber, kNever), otherwise(kAnything)).index(), 1u);
    EXPECT_EQ(select(join(fiber, kNever), send(go, 7, kAnything)).index(), 1u);
    EXPECT_EQ(fiber.join_uncancellable(), 7);
  });
}

TEST_P(SelectWaitTest, ThrowsWhatEscapedFromTheFiberThatItJoins) {
  run([] {
    auto fiber = spawn([]() -> int { throw std::runtime_error("from the fiber"); });
    EXPECT_THROW(select(join(fiber, kNever), after(1h, kNever)), std::runtime_error);
    EXPECT_FALSE(fiber.joinable());
  });
}

// -- two selects -------------------------------------------------------------------------------------------

// A offers c1 and wants c2, B the other way round: they meet in exactly one of the two.
TEST_P(SelectWaitTest, TwoThatCrossMeetInOneChannel) {
  run([] {
    for (int round = 0; round < 300; ++round) {
      Channel<int> c1, c2;
      const auto cross = [round](Channel<int>& out, Channel<int>& in) {
        int got = 0;
        const auto keep = [&](Result<int> value) { got = value.value(); };
        return select(send(out, round + 1, kAnything), receive(in, keep)).index() == 0 ? -(round + 1) : got;
      };
      auto other = spawn([&] { return cross(c2, c1); });
      if (round % 2 == 0) yield();
      const int mine = cross(c1, c2);
      ASSERT_EQ(mine + other.join_uncancellable(), 0);
      ASSERT_NE(mine, 0);
    }
  });
}

// Every value that a select sent is received by a select, whatever they meet in.
TEST_P(SelectWaitTest, ManyThatCrossLoseAndDoubleNothing) {
  Channel<int> a, b, c;
  constexpr int kValues = 300;
  std::vector<JoinHandle<long>> senders, receivers;
  for (int s = 0; s < 3; ++s) {
    senders.push_back(context.spawn([&, s] {
      long sent = 0;
      for (int i = 0; i < kValues; ++i) {
        const int value = s * kValues + i;
        // Each sender also takes what others send, and passes it on as its own.
        select(send(a, value, [&] { sent += value; }), send(b, value, [&] { sent += value; }),
               send(c, value, [&] { sent += value; }), receive(a, [&](Result<int> other) {
                 sent -= *other;
                 --i;
               }));
      }
      return sent;
    }));
  }
  for (int r = 0; r < 3; ++r) {
    receivers.push_back(context.spawn([&] {
      long sum = 0;
      bool open = true;
      const auto add = [&](Result<int> value) {
        value ? static_cast<void>(sum += *value) : void(open = false);
      };
      while (open) select(receive(a, add), receive(b, add), receive(c, add));
      return sum;
    }));
  }
  long sent = 0;
  for (auto& sender : senders) sent += sender.join_uncancellable();
  for (Channel<int>* channel : {&a, &b, &c}) channel->close();
  long received = 0;
  for (auto& receiver : receivers) received += receiver.join_uncancellable();
  EXPECT_EQ(sent, received);
}

TEST_P(SelectWaitTest, MeetsSelectsOfPlainThreads) {
  Channel<int> there, back, stop;
  auto fiber = context.spawn([&] {
    int served = 0;
    bool running = true;
    while (running) {
      select(receive(there,
                     [&](Result<int> value) {
                       ++served;
                       select(send(back, *value + 1, kAnything), receive(stop, kNever));
                     }),
             receive(stop, [&](Result<int>) { running = false; }));
    }
    return served;
  });
  std::thread thread([&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(select(send(there, i, kAnything), receive(stop, kNever)).index(), 0u);
      int got = 0;
      select(receive(stop, kNever), receive(back, [&](Result<int> value) { got = *value; }),
             after(1h, kNever));
      EXPECT_EQ(got, i + 1);
    }
    EXPECT_EQ(select(receive(there, kNever), after(1ms, kAnything)).index(), 1u);
  });
  thread.join();
  stop.close();
  EXPECT_EQ(fiber.join_uncancellable(), 100);
}

TEST_P(SelectWaitTest, MeetsSelectsOfOtherContexts) {
  ConcurrentContext elsewhere("elsewhere");
  Channel<int> a, b;
  auto sender = elsewhere.spawn([&] {
    long sum = 0;
    for (int i = 0; i < 300; ++i) {
      select(send(a, i, [&] { sum += i; }), send(b, -i, [&] { sum -= i; }));
    }
    return sum;
  });
  auto receiver = context.spawn([&] {
    long sum = 0;
    const auto add = [&](Result<int> value) { sum += *value; };
    for (int i = 0; i < 300; ++i) select(receive(b, add), receive(a, add));
    return sum;
  });
  const long sent = sender.join_uncancellable();
  EXPECT_EQ(receiver.join_uncancellable(), sent);
}

// The race of a sender, a deadline and a cancel request for one select: one wins, the value is somewhere.
TEST_P(SelectWaitTest, AValueIsNeverLostToADeadlineOrACancelRequest) {
  run([] {
    int sent = 0;
    int received = 0;
    for (int round = 0; round < 200; ++round) {
      Channel<int> channel, other;
      auto selecting = spawn([&, round] {
        int got = 0;
        select(receive(channel, [&](Result<int>) { ++got; }), receive(other, kNever),
               after(round % 2 == 0 ? 1'000'000us : 20us, kAnything));
        return got;
      });
      auto canceller = spawn([&] {
        if (round % 2 == 0) selecting.cancel();
      });
      if (round % 3 == 0) yield();
      if (channel.try_send(round)) ++sent;
      canceller.join_uncancellable();
      received += selecting.join_uncancellable();
    }
    EXPECT_EQ(sent, received);
  });
}

INSTANTIATE_TEST_SUITE_P(, SelectWaitTest, test::all_placements(), test::kind_name);

}  // namespace
}  // namespace weft
