// SPDX-License-Identifier: Apache-2.0
// What Go's and Crystal's own suites check of channels, selects and wait groups beyond the files beside this
// one: tries that race with a close, channels that stand in a select twice, closes that meet many who select.
#include "support/any_context.hpp"
#include "support/branches.hpp"
#include "support/waiting.hpp"

#include <weft/channel.hpp>
#include <weft/select.hpp>
#include <weft/this_fiber.hpp>
#include <weft/wait_group.hpp>

#include <array>
#include <chrono>
#include <utility>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::kNever;
using test::spawn_waiting;

class ChannelRaceTest : public test::InAnyContext {};

// Go: TestNonblockRecvRace.
TEST_P(ChannelRaceTest, ATryThatMeetsACloseStillFindsWhatWasSentBefore) {
  run([] {
    for (int round = 0; round < 200; ++round) {
      Channel<int> channel(1);
      channel.send(round).value();
      auto closer = spawn([&] { channel.close(); });
      if (round % 2 == 0) yield();
      ASSERT_EQ(channel.try_receive().value(), round);
      closer.join_uncancellable();
      ASSERT_EQ(channel.try_receive().error(), Errc::closed);
    }
  });
}

// Go: TestNonblockSelectRace and TestNonblockSelectRace2. One of the two is ready at every moment.
TEST_P(ChannelRaceTest, ASelectThatDoesNotWaitSeesWhatBecameReadyFirst) {
  run([] {
    for (int round = 0; round < 200; ++round) {
      Channel<int> full(1), closed(1);
      full.send(1).value();
      auto other = spawn([&] {
        closed.close();
        EXPECT_EQ(full.receive().value(), 1);
      });
      if (round % 2 == 0) yield();
      int taken = 0;
      const auto see = [&](Result<int> value) { taken += value ? 1 : 10; };
      select(receive(closed, see), otherwise([] {}));
      if (taken == 0) {
        // If there is room by now, the other one has closed its channel before: that is what is looked at
        // first.
        select_first(receive(closed, see), send(full, 2, kNever), otherwise([] {}));
      }
      other.join_uncancellable();
      if (taken == 0) select(receive(closed, see), otherwise(kNever));
      ASSERT_EQ(taken, 10);
    }
  });
}

// Go: TestSelectDuplicateChannel. The nodes of a select that was taken do not stand in the way of others.
TEST_P(ChannelRaceTest, WhoWaitsBehindAnEndedSelectIsStillServed) {
  run([] {
    Channel<int> twice, other;
    auto selects = spawn_waiting([&] {
      int got = 0;
      select(receive(twice, kNever), receive(twice, kNever),
             receive(other, [&](Result<int> value) { got = value.value(); }));
      return got;
    });
    auto behind = spawn_waiting([&] { return twice.receive().value(); });
    other.send(7).value();
    twice.send(8).value();
    EXPECT_EQ(selects.join_uncancellable(), 7);
    EXPECT_EQ(behind.join_uncancellable(), 8);
  });
}

// Go: TestPseudoRandomSend.
TEST_P(ChannelRaceTest, OfTwoSendsToOneChannelEachIsTakenAboutAsOften) {
  constexpr int kValues = 400;
  for (const std::size_t capacity : {std::size_t{0}, std::size_t{1}}) {
    run([capacity] {
      Channel<int> channel(capacity);
      auto receiver = spawn([&] {
        int ones = 0;
        for (int i = 0; i < kValues; ++i) ones += channel.receive().value();
        return ones;
      });
      for (int i = 0; i < kValues; ++i) {
        yield();
        select(send(channel, 0, [] {}), send(channel, 1, [] {}));
      }
      const int ones = receiver.join_uncancellable();
      // One in 10^29 by chance, if the branches are independent.
      EXPECT_GT(ones, kValues / 10);
      EXPECT_LT(ones, kValues * 9 / 10);
    });
  }
}

TEST_P(ChannelRaceTest, ACloseEndsEverySelectThatWaitsAndTellsEachOnce) {
  run([] {
    Channel<int> closes, stays;
    Atomic<int> receivers_told{0}, senders_told{0};
    std::vector<JoinHandle<void>> waiting;
    for (int i = 0; i < 4; ++i) {
      waiting.push_back(spawn_waiting([&] {
        select(receive(closes, [&](Result<int> value) { receivers_told.fetch_add(!value); }),
               receive(stays, kNever));
      }));
    }
    closes.close();
    for (auto& fiber : waiting) fiber.join_uncancellable();
    EXPECT_EQ(receivers_told.load(), 4);

    Channel<int> full(1);
    full.send(0).value();
    waiting.clear();
    for (int i = 0; i < 4; ++i) {
      waiting.push_back(spawn_waiting([&] {
        select(send(full, 1, [&](Result<void> sent) { senders_told.fetch_add(!sent); }),
               receive(stays, kNever));
      }));
    }
    full.close();
    for (auto& fiber : waiting) fiber.join_uncancellable();
    EXPECT_EQ(senders_told.load(), 4);
    EXPECT_EQ(full.receive().value(), 0);
    EXPECT_EQ(full.receive().error(), Errc::closed);
    EXPECT_TRUE(stays.empty());
  });
}

// Crystal's channel_spec: a close is told to waiting senders and receivers of several channels; Go: TestChan.
TEST_P(ChannelRaceTest, AClosedChannelStaysReadyForEveryLaterCall) {
  run([] {
    Channel<int> channel(2);
    channel.send(1).value();
    EXPECT_TRUE(channel.close());
    EXPECT_FALSE(channel.close());
    EXPECT_EQ(channel.receive().value(), 1);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(channel.receive().error(), Errc::closed);
      EXPECT_EQ(channel.receive_until(Deadline::after(1h)).error(), Errc::closed);
      EXPECT_EQ(channel.send(i).error(), Errc::closed);
      EXPECT_EQ(channel.try_send(i).error(), Errc::closed);
      int told = 0;
      select(receive(channel, [&](Result<int> value) { told += value.error() == Errc::closed; }),
             after(1h, kNever));
      EXPECT_EQ(told, 1);
    }
    for ([[maybe_unused]] const int value : channel) FAIL() << "drained";
    EXPECT_TRUE(channel.closed() && channel.empty());
  });
}

// A timer that is due and a sender that comes: exactly one of them, again and again.
TEST_P(ChannelRaceTest, ADeadlineAndAValueThatComeTogetherAreOneOutcome) {
  run([] {
    Channel<int> channel;
    int received = 0, timed_out = 0;
    constexpr int kRounds = 100;
    auto sender = spawn([&] {
      int sent = 0;
      for (int i = 0; i < kRounds; ++i) {
        sent += channel.send_until(1, Deadline::after(std::chrono::microseconds(i % 5 * 20))).has_value();
        if (i % 3 == 0) yield();
      }
      channel.close();
      return sent;
    });
    for (bool open = true; open;) {
      const auto take = [&](Result<int> value) { value ? void(++received) : void(open = false); };
      select(receive(channel, take), after(50us, [&] { ++timed_out; }));
    }
    EXPECT_EQ(received, sender.join_uncancellable());
    EXPECT_LE(received, kRounds);
  });
}

// Go: TestWaitGroupRace. What is added before the wait is waited for, and seen.
TEST_P(ChannelRaceTest, AWaitGroupOfTwoIsZeroWhenBothAreThrough) {
  run([] {
    for (int round = 0; round < 300; ++round) {
      WaitGroup group;
      std::array<int, 2> done{};
      for (int& own : done) {
        group.add();
        spawn([&] {
          own = 1;
          group.done();
        }).detach();
      }
      group.wait_uncancellable();
      ASSERT_EQ(done[0] + done[1], 2);
      ASSERT_EQ(group.count(), 0);
    }
  });
}

// Crystal's wait_group_spec: counters go up and down while somebody waits above zero.
TEST_P(ChannelRaceTest, AWaitGroupMayRiseAgainBeforeItsZero) {
  run([] {
    WaitGroup group(1);
    Atomic<int> done{0};
    auto waiter = spawn_waiting([&] {
      group.wait_uncancellable();
      return done.load();
    });
    for (int i = 0; i < 50; ++i) {
      group.add(2);
      spawn([&] {
        done.fetch_add(1);
        group.add(-2);
      }).detach();
      if (i % 8 == 0) yield();
    }
    group.done();
    EXPECT_EQ(waiter.join_uncancellable(), 50);
  });
}

INSTANTIATE_TEST_SUITE_P(, ChannelRaceTest, test::all_placements(), test::kind_name);

}  // namespace
}  // namespace weft
