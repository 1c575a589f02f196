// SPDX-License-Identifier: Apache-2.0
// Which branch of a select is taken, and that the others leave no trace.
#include "support/any_context.hpp"
#include "support/branches.hpp"
#include "support/waiting.hpp"

#include <weft/channel.hpp>
#include <weft/select.hpp>
#include <weft/this_fiber.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::Counted;
using test::kNever;
using test::spawn_waiting;

class SelectTest : public test::InAnyContext {};

/// A branch function that stores what was received.
template <class T>
auto into(T& target) {
  return [&target](Result<T> value) { target = value.value(); };
}

// -- one branch, and only one ------------------------------------------------------------------------------

TEST_P(SelectTest, TakesTheBranchThatIsReady) {
  run([] {
    Channel<int> empty, full(1), ready(1);
    full.send(0).value();
    ready.send(7).value();
    int got = 0;
    const Selected selected =
        select(receive(empty, kNever), send(full, 1, kNever), receive(ready, into(got)), after(1h, kNever));
    EXPECT_TRUE(selected);
    EXPECT_EQ(selected.index(), 2u);
    EXPECT_EQ(got, 7);
    EXPECT_EQ(full.size(), 1u);
  });
}

TEST_P(SelectTest, WaitsForASender) {
  run([] {
    Channel<int> first, second;
    auto selecting = spawn_waiting([&] {
      int got = 0;
      EXPECT_EQ(select(receive(first, kNever), receive(second, into(got))).index(), 1u);
      return got;
    });
    second.send(5).value();
    EXPECT_EQ(selecting.join_uncancellable(), 5);
    EXPECT_EQ(first.try_send(1).error(), Errc::would_block);  // nobody waits there any more
  });
}

TEST_P(SelectTest, WaitsForAReceiver) {
  run([] {
    Channel<int> first, second;
    int sent = 0;
    auto selecting = spawn_waiting([&] {
      return select(send(first, 1, [&] { sent = 1; }), send(second, 2, [&] { sent = 2; })).index();
    });
    EXPECT_EQ(first.receive().value(), 1);
    EXPECT_EQ(selecting.join_uncancellable(), 0u);
    EXPECT_EQ(sent, 1);
    EXPECT_EQ(second.try_receive().error(), Errc::would_block);
  });
}

TEST_P(SelectTest, WaitsForRoomAndSendsInTurn) {
  run([] {
    Channel<int> channel(1);
    channel.send(1).value();
    auto selecting = spawn_waiting([&] { return select(send(channel, 2, [] {})).index(); });
    EXPECT_EQ(channel.receive().value(), 1);
    EXPECT_EQ(channel.receive().value(), 2);
    EXPECT_EQ(selecting.join_uncancellable(), 0u);
  });
}

TEST_P(SelectTest, MovesTheValueOfTheBranchThatIsTakenOnly) {
  run([] {
    Channel<std::unique_ptr<int>> full(1), open(1);
    full.send(nullptr).value();
    auto lost = std::make_unique<int>(1);
    auto won = std::make_unique<int>(2);
    EXPECT_EQ(select(send(full, std::move(lost), kNever), send(open, std::move(won), [] {})).index(), 1u);
    EXPECT_TRUE(lost);
    EXPECT_FALSE(won);
    EXPECT_EQ(*open.receive().value(), 2);
    EXPECT_EQ(select(send(full, std::move(lost), kNever), after(1ms, [] {})).index(), 1u);
    EXPECT_TRUE(lost);
  });
}

TEST_P(SelectTest, SendsACopyOfAnLvalue) {
  run([] {
    Channel<std::string> channel(1);
    const std::string text = "a text that is longer than a string keeps inside";
    EXPECT_TRUE(select(send(channel, text, [] {})));
    EXPECT_EQ(channel.receive().value(), text);
  });
}

TEST_P(SelectTest, DestroysEachValueOnce) {
  const int before = Counted::live();
  run([] {
    Channel<Counted> one(1), other(1);
    for (int i = 0; i < 10; ++i) {
      EXPECT_TRUE(select(send(one, Counted(i), [] {}), send(other, Counted(i), [] {})));
      EXPECT_TRUE(select(receive(one, [&](Result<Counted> value) { EXPECT_EQ(value->value(), i); }),
                         receive(other, [&](Result<Counted> value) { EXPECT_EQ(value->value(), i); })));
    }
    EXPECT_TRUE(select(send(one, Counted(10), [] {})));
  });
  EXPECT_EQ(Counted::live(), before);
}

TEST_P(SelectTest, IsOverWhenItsFunctionRuns) {
  run([] {
    Channel<int> first(1), second(1);
    first.send(1).value();
    int got = 0;
    // The function uses the channels of the other branches, and selects itself.
    EXPECT_TRUE(select(receive(first,
                               [&](Result<int> value) {
                                 second.send(*value).value();
                                 EXPECT_TRUE(select(receive(second, into(got)), receive(first, kNever)));
                               }),
                       receive(second, kNever)));
    EXPECT_EQ(got, 1);
  });
}

TEST_P(SelectTest, PassesOnWhatItsFunctionThrows) {
  run([] {
    Channel<int> channel(1), other;
    const auto thrower = [](Result<int>) { throw std::runtime_error("from a branch"); };
    channel.send(1).value();
    EXPECT_THROW(select(receive(channel, thrower), receive(other, kNever)), std::runtime_error);
    EXPECT_EQ(other.try_send(1).error(), Errc::would_block);
  });
}

// -- fairness and priority ---------------------------------------------------------------------------------

TEST_P(SelectTest, TakesEachOfSeveralReadyBranchesAboutAsOften) {
  run([] {
    Channel<int> never;
    std::array<Channel<int>, 3> ready{Channel<int>(1), Channel<int>(1), Channel<int>(1)};
    for (Channel<int>& channel : ready) channel.send(0).value();
    std::array<int, 3> taken{};
    const auto count = [&](std::size_t i) {
      return [&, i](Result<int>) {
        ++taken[i];
        ready[i].send(0).value();
      };
    };
    for (int i = 0; i < 3000; ++i) {
      select(receive(ready[0], count(0)), receive(never, kNever), receive(ready[1], count(1)),
             receive(ready[2], count(2)));
    }
    for (int times : taken) EXPECT_NEAR(times, 1000, 200);
  });
}

TEST_P(SelectTest, FirstTakesTheFirstThatIsReady) {
  run([] {
    Channel<int> a(1), b(1), c(1);
    for (int i = 0; i < 50; ++i) {
      b.send(i).value();
      c.send(i).value();
      int got = -1;
      EXPECT_EQ(select_first(receive(a, kNever), receive(b, into(got)), receive(c, kNever)).index(), 1u);
      EXPECT_EQ(got, i);
      EXPECT_EQ(select_first(receive(c, into(got)), receive(a, kNever)).index(), 0u);
    }
  });
}

TEST_P(SelectTest, FirstWaitsLikeAnyOther) {
  run([] {
    Channel<int> a, b;
    auto selecting = spawn_waiting([&] {
      int got = 0;
      select_first(receive(a, kNever), receive(b, into(got)));
      return got;
    });
    b.send(3).value();
    EXPECT_EQ(selecting.join_uncancellable(), 3);
  });
}

// -- otherwise ---------------------------------------------------------------------------------------------

TEST_P(SelectTest, OtherwiseIsTakenWhenNothingIsReady) {
  run([] {
    Channel<int> empty, full(1);
    full.send(1).value();
    int times = 0;
    const Selected selected =
        select(otherwise([&] { ++times; }), receive(empty, kNever), send(full, 2, kNever), after(0s, kNever));
    EXPECT_TRUE(selected);
    EXPECT_EQ(selected.index(), 0u);
    EXPECT_EQ(times, 1);
    EXPECT_EQ(empty.try_send(1).error(), Errc::would_block);  // it was queued nowhere
    EXPECT_TRUE(select(otherwise([&] { ++times; })));
    EXPECT_EQ(times, 2);
  });
}

TEST_P(SelectTest, OtherwiseLosesToWhateverIsReady) {
  run([] {
    Channel<int> channel(1), rendezvous;
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(select(otherwise(kNever), send(channel, i, [] {})).index(), 1u);
      EXPECT_EQ(select(otherwise(kNever), receive(channel, [](Result<int>) {})).index(), 1u);
    }
    auto sender = spawn_waiting([&] { rendezvous.send(1).value(); });
    int got = 0;
    EXPECT_TRUE(select(otherwise(kNever), receive(rendezvous, into(got))));
    EXPECT_EQ(got, 1);
    sender.join_uncancellable();
  });
}

// -- close -------------------------------------------------------------------------------------------------

TEST_P(SelectTest, TellsAReceiverThatTheChannelIsClosed) {
  run([] {
    Channel<int> closed(1), open;
    closed.send(1).value();
    closed.close();
    int got = 0;
    EXPECT_TRUE(select(receive(closed, into(got)), receive(open, kNever)));
    EXPECT_EQ(got, 1);
    std::error_code error;
    EXPECT_TRUE(select(receive(closed, [&](Result<int> r) { error = r.error(); }), receive(open, kNever)));
    EXPECT_EQ(error, Errc::closed);
    auto selecting = spawn_waiting([&] {
      std::error_code told;
      select(receive(open, [&](Result<int> r) { told = r.error(); }));
      return told;
    });
    open.close();
    EXPECT_EQ(selecting.join_uncancellable(), Errc::closed);
  });
}

TEST_P(SelectTest, TellsASenderThatTheChannelIsClosedAndLeavesItsValue) {
  run([] {
    Channel<std::unique_ptr<int>> channel, other;
    const auto attempt = [&] {
      auto value = std::make_unique<int>(1);
      std::error_code told;
      EXPECT_TRUE(select(send(channel, std::move(value), [&](Result<void> r) { told = r.error(); }),
                         receive(other, kNever)));
      EXPECT_TRUE(value);
      return told;
    };
    auto waiting = spawn_waiting(attempt);
    channel.close();
    EXPECT_EQ(waiting.join_uncancellable(), Errc::closed);
    EXPECT_EQ(attempt(), Errc::closed);
  });
}

TEST_P(SelectTest, ReportsAClosedChannelItselfIfTheFunctionCannotBeTold) {
  run([] {
    Channel<int> channel;
    channel.close();
    const Selected selected = select(after(1h, kNever), send(channel, 1, [] { ADD_FAILURE(); }));
    EXPECT_FALSE(selected);
    EXPECT_EQ(selected.error(), Errc::closed);
    EXPECT_EQ(selected.index(), 1u);
  });
}

// -- the same channel twice --------------------------------------------------------------------------------

TEST_P(SelectTest, MayReceiveFromOneChannelInTwoBranches) {
  run([] {
    Channel<int> channel;
    std::array<int, 2> taken{};
    for (int i = 0; i < 100; ++i) {
      auto selecting = spawn_waiting([&] {
        select(receive(channel, [&](Result<int> value) { taken[0] += *value; }),
               receive(channel, [&](Result<int> value) { taken[1] += *value; }));
      });
      channel.send(1).value();
      selecting.join_uncancellable();
      EXPECT_EQ(channel.try_send(1).error(), Errc::would_block);
    }
    EXPECT_EQ(taken[0] + taken[1], 100);
  });
}

TEST_P(SelectTest, MaySendToAndReceiveFromOneChannelWithoutMeetingItself) {
  run([] {
    Channel<int> channel;
    EXPECT_EQ(select(send(channel, 1, kNever), receive(channel, kNever), after(1ms, [] {})).index(), 2u);
    EXPECT_EQ(select(send(channel, 1, kNever), receive(channel, kNever), otherwise([] {})).index(), 2u);

    const auto both = [&] {
      int got = 0;
      const Selected selected = select(send(channel, 1, [] {}), receive(channel, into(got)));
      return selected.index() == 0 ? -1 : got;
    };
    auto first = spawn_waiting(both);
    const int mine = both();  // meets the other one: one sends, one receives
    EXPECT_EQ(mine + first.join_uncancellable(), 0);
    auto second = spawn_waiting(both);
    channel.send(9).value();
    EXPECT_EQ(second.join_uncancellable(), 9);
    auto third = spawn_waiting(both);
    EXPECT_EQ(channel.receive().value(), 1);
    EXPECT_EQ(third.join_uncancellable(), -1);
  });
}

TEST_P(SelectTest, OnABufferedChannelMaySendToItselfAndReceiveIt) {
  run([] {
    Channel<int> channel(1);
    for (int i = 0; i < 10; ++i) {
      int got = -1;
      EXPECT_EQ(select(send(channel, i, [] {}), receive(channel, kNever)).index(), 0u);
      EXPECT_EQ(select(send(channel, -5, kNever), receive(channel, into(got))).index(), 1u);
      EXPECT_EQ(got, i);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(, SelectTest, test::all_placements(), test::kind_name);

}  // namespace
}  // namespace weft
