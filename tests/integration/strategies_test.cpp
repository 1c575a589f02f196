// SPDX-License-Identifier: Apache-2.0
// What holds under every event loop strategy, and what each costs.
#include "support/strategies.hpp"
#include "event_loop/loop_counters.hpp"

#include <weft/run.hpp>

#include <fcntl.h>
#include <poll.h>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

namespace weft::test {
namespace {

using sys::Call;

class EveryStrategy : public testing::TestWithParam<Strategy> {
 protected:
  Strategy strategy() const { return GetParam(); }
  bool per_wait() const { return strategy().registration == Strategy::Registration::kPerWait; }
};

void echo(const Near& near) {
  while (auto text = near.read()) {
    if (!near.write(*text)) break;
  }
}

TEST_P(EveryStrategy, AKeptAliveRequestCostsNoEpollCtlOrExactlyTwoIfItIsRearmed) {
  constexpr std::uint64_t kRequests = 200;
  ConcurrentContext context("server", {.strategy = strategy()});
  const Connection connection = tcp_connection();
  auto server = context.spawn([&] { echo(connection.near); });
  const auto round_trip = [&] {
    connection.far.send("request");
    EXPECT_EQ(connection.far.receive(), "request");
    until_settled(connection.near, Direction::kRead);
  };
  for (int i = 0; i < 5; ++i) round_trip();
  const EventLoopCounters before = context.event_loop_counters();
  const sys::CallCounter counter;
  for (std::uint64_t i = 0; i < kRequests; ++i) round_trip();
  const sys::CallCounts counts = counter.counts();
  const EventLoopCounters after = context.event_loop_counters();
  const std::uint64_t expected = per_wait() ? kRequests : 0;
  EXPECT_EQ(counts[Call::epoll_add], expected);
  EXPECT_EQ(counts[Call::epoll_remove], expected);
  EXPECT_EQ(counts[Call::epoll_modify], 0u);
  EXPECT_EQ(after.registrations - before.registrations, expected);
  EXPECT_EQ(after.deletions - before.deletions, expected);
  EXPECT_TRUE(connection.near.close());
  server.join_uncancellable();
}

TEST_P(EveryStrategy, CloseLeavesNoRegistrationBehind) {
  ConcurrentContext a("a", {.strategy = strategy()});
  ConcurrentContext b("b", {.strategy = strategy()});
  const Connection connection = tcp_connection();
  const int number = connection.near.fd();
  const sys::Fd copy(::fcntl(number, F_DUPFD_CLOEXEC, 0));  // keeps the kernel from forgetting by itself
  auto reader = read_in(a, connection.near);
  until_settled(connection.near, Direction::kRead);
  auto writer = b.spawn([&] { return connection.near.write_until_it_fails(); });
  until_settled(connection.near, Direction::kWrite);
  EXPECT_GE(registrations_of(number), 1u);
  EXPECT_TRUE(connection.near.close());
  EXPECT_EQ(registrations_of(number), 0u);
  EXPECT_EQ(reader.join_uncancellable().error(), Errc::closed);
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
}

TEST_P(EveryStrategy, AWaitThatTimesOutOrIsCancelledLeavesTheNextOneWhole) {
  ConcurrentContext context("context", {.strategy = strategy()});
  const Connection connection = tcp_connection();
  context
      .spawn([&] {
        EXPECT_EQ(connection.near.read(1, Deadline::after(std::chrono::milliseconds(1))).error(),
                  Errc::timed_out);
      })
      .join_uncancellable();
  auto cancelled = read_in(context, connection.near);
  until_settled(connection.near, Direction::kRead);
  cancelled.cancel();
  EXPECT_EQ(cancelled.join_uncancellable().error(), Errc::cancelled);
  if (per_wait()) {
    EXPECT_EQ(registrations_of(connection.near.fd()), 0u);
  }
  expect_read_in(context, connection);
  EXPECT_TRUE(connection.near.close());
}

TEST_P(EveryStrategy, ASocketGoesToAContextOfEveryOtherStrategyAndBack) {
  ConcurrentContext here("here", {.strategy = strategy()});
  for (const Strategy& other : Strategy::named()) {
    SCOPED_TRACE(other.to_string());
    ConcurrentContext there("there", {.strategy = other});
    const Connection connection = tcp_connection();
    for (int i = 0; i < 2; ++i) {
      expect_read_in(here, connection);
      expect_read_in(there, connection);
    }
    EXPECT_TRUE(connection.near.close());
  }
}

TEST_P(EveryStrategy, AWriterOfAnyOtherStrategyIsForwardedThroughTheLoopOfAReader) {
  ConcurrentContext here("here", {.strategy = strategy()});
  for (const Strategy& other : Strategy::named()) {
    SCOPED_TRACE(other.to_string());
    ConcurrentContext there("there", {.strategy = other});
    const Connection connection = tcp_connection();
    auto reader = read_in(here, connection.near);
    until_settled(connection.near, Direction::kRead);
    auto writer = there.spawn([&] { return connection.near.write_until_it_fails(); });
    until_settled(connection.near, Direction::kWrite);
    const std::uint32_t wakeups = connection.near.counters().wakeups;
    eventually([&] { return connection.far.drain(), connection.near.counters().wakeups > wakeups; },
               "the writer");
    connection.far.send("r");
    EXPECT_EQ(reader.join_uncancellable().value(), "r");
    EXPECT_TRUE(connection.near.close());
    EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
  }
}

TEST_P(EveryStrategy, AContextOfTwoThreadsServesAndAnIsolatedOneReads) {
  ParallelContext pair("pair", {.parallelism = 2, .strategy = strategy()});
  EXPECT_EQ(pair.strategy(), strategy());
  EXPECT_EQ(pair.parallelism(), 2u);
  const Connection connection = tcp_connection();
  auto server = pair.spawn([&] { echo(connection.near); });
  for (int i = 0; i < 20; ++i) {
    connection.far.send("x");
    EXPECT_EQ(connection.far.receive(), "x");
  }
  const Connection other = tcp_connection();
  IsolatedContext isolated("isolated", {.spawn_context = &pair, .strategy = strategy()},
                           [&] { EXPECT_EQ(other.near.read(1).value(), "y"); });
  until_settled(other.near, Direction::kRead);
  other.far.send("y");
  isolated.join_uncancellable();
  EXPECT_TRUE(other.near.close());
  EXPECT_TRUE(connection.near.close());
  server.join_uncancellable();
}

// L13. The time itself is what is looked at: nothing is synchronized by it.
TEST_P(EveryStrategy, WithNothingToDoNoSystemCallIsMade) {
  const auto pass = [](int ms) { ASSERT_EQ(::poll(nullptr, 0, ms), 0); };
  ConcurrentContext one("one", {.strategy = strategy()});
  ParallelContext two("two", {.parallelism = 2, .strategy = strategy()});
  const Connection connection = tcp_connection();
  auto reader = one.spawn([&] { return connection.near.read(1).error(); });
  until_settled(connection.near, Direction::kRead);
  sys::CallCounter counter;
  do {
    counter.reset();
    pass(30);
  } while (counter.counts().total() != 0);
  counter.reset();
  pass(100);
  EXPECT_EQ(counter.counts().total(), 0u);
  EXPECT_TRUE(connection.near.close());
  EXPECT_EQ(reader.join_uncancellable(), Errc::closed);
}

INSTANTIATE_TEST_SUITE_P(, EveryStrategy,
                         testing::ValuesIn(Strategy::named().begin(), Strategy::named().end()),
                         strategy_name);

TEST(StrategyOfAContext, ACombinationThatMakesNoSenseIsRefusedByTheConstructor) {
  const Strategy nonsense{Strategy::Placement::kPerProcess, Strategy::Registration::kBroadcast,
                          Strategy::Ownership::kNone};
  try {
    ConcurrentContext context("refused", {.strategy = nonsense});
    FAIL() << "it was accepted";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("a broadcast needs several loops"), std::string::npos);
  }
  EXPECT_THROW(weft::run({.strategy = nonsense}, [] {}), std::system_error);
}

TEST(StrategyOfAContext, WhatTheRunWasToldIsTheDefaultDuringTheRun) {
  const Strategy before = default_event_loop_strategy();
  weft::run({.strategy = Strategy::rearm_thread()}, [] {
    EXPECT_EQ(ConcurrentContext("inner").strategy(), Strategy::rearm_thread());
    EXPECT_EQ(ConcurrentContext("other", {.strategy = Strategy::pinned()}).strategy(), Strategy::pinned());
  });
  EXPECT_EQ(default_event_loop_strategy(), before);
}

TEST(StrategyOfAContext, EveryCombinationThatIsNotRefusedWorks) {
  int accepted = 0;
  for (int i = 0; i < 4 * 4 * 3; ++i) {
    const Strategy strategy{Strategy::Placement(i % 4), Strategy::Registration(i / 4 % 4),
                            Strategy::Ownership(i / 16)};
    if (!strategy.objection().empty()) continue;
    SCOPED_TRACE(strategy.to_string());
    ++accepted;
    ParallelContext a("a", {.parallelism = 2, .strategy = strategy});
    ConcurrentContext b("b", {.strategy = strategy});
    const Connection connection = tcp_connection();
    expect_read_in(a, connection);
    expect_read_in(b, connection);
    EXPECT_TRUE(connection.near.close());
  }
  EXPECT_EQ(accepted, 16);
}

constexpr std::uint64_t kLoops = 3;
constexpr std::uint64_t kBytes = 100;

/// Contexts a, b and c; a byte is waited for in `a` again and again. What the loops took for that.
class ThreeLoops {
 public:
  explicit ThreeLoops(const Strategy& strategy) : strategy_(strategy) {}

  EventLoopCounters counters() const {
    return sum_of(a_.event_loop_counters(), sum_of(b_.event_loop_counters(), c_.event_loop_counters()));
  }
  /// Each byte comes when `loops` of them have heard of the one before.
  EventLoopCounters read_bytes(std::uint64_t loops) {
    const Connection connection = tcp_connection();
    expect_read_in(a_, connection);
    const EventLoopCounters before = counters();
    for (std::uint64_t i = 1; i <= kBytes; ++i) {
      expect_read_in(a_, connection);
      eventually([&] { return counters().events - before.events >= i * loops; }, "every loop");
    }
    const EventLoopCounters after = counters();
    EXPECT_TRUE(connection.near.close());
    return {.events = after.events - before.events,
            .unawaited_edges = after.unawaited_edges - before.unawaited_edges,
            .wakeups = after.wakeups - before.wakeups};
  }

 private:
  const Strategy strategy_;
  ConcurrentContext a_{"a", {.strategy = strategy_}};
  ConcurrentContext b_{"b", {.strategy = strategy_}};
  ConcurrentContext c_{"c", {.strategy = strategy_}};
};

// More than exactly: what the adds reported may still come, one event for each loop and direction.
TEST(UselessEdges, UnderBroadcastAFiberThatReachedEagainWakesEveryOtherLoopForNothing) {
  const EventLoopCounters took = ThreeLoops(Strategy::broadcast()).read_bytes(kLoops);
  EXPECT_GE(took.events, kLoops * kBytes);
  EXPECT_LE(took.events, kLoops * (kBytes + 2));
  EXPECT_GE(took.unawaited_edges, (kLoops - 1) * kBytes - 2 * kLoops);
  EXPECT_LE(took.unawaited_edges, (kLoops - 1) * kBytes + 2 * kLoops);
  EXPECT_GE(took.wakeups, kBytes);
  EXPECT_LE(took.wakeups, kBytes + 2 * kLoops);
}

TEST(UselessEdges, UnderTheOthersOnlyOneLoopHearsOfIt) {
  for (const Strategy& strategy : Strategy::named()) {
    // Of one loop for all each counter would be summed up thrice.
    const bool several_loops = strategy.placement == Strategy::Placement::kPerContext ||
                               strategy.placement == Strategy::Placement::kPerThread;
    if (strategy == Strategy::broadcast() || !several_loops) continue;
    SCOPED_TRACE(strategy.to_string());
    const EventLoopCounters took = ThreeLoops(strategy).read_bytes(1);
    EXPECT_LE(took.unawaited_edges, 2u);
    EXPECT_LE(took.events, kBytes + 2);
    EXPECT_EQ(took.wakeups, kBytes);
  }
}

TEST(Handoff, UnderTransferAConnectionMovesOnceAndIsWokenLocallyAfterwards) {
  ConcurrentContext front("front", {.strategy = Strategy::lifetime()});
  ConcurrentContext back("back", {.strategy = Strategy::lifetime()});
  const Connection connection = tcp_connection();
  expect_read_in(front, connection);  // authenticated, after a real suspension
  auto server = back.spawn([&] { echo(connection.near); });
  until_settled(connection.near, Direction::kRead);
  for (int i = 0; i < 50; ++i) {
    connection.far.send("request");
    EXPECT_EQ(connection.far.receive(), "request");
  }
  EXPECT_EQ(connection.near.counters().transfers, 1u);
  EXPECT_EQ(connection.near.counters().cross_context_wakeups, 0u);
  EXPECT_TRUE(connection.near.close());
  server.join_uncancellable();
}

TEST(Handoff, UnderPinnedItStaysAndEveryWakeUpCrosses) {
  ConcurrentContext front("front", {.strategy = Strategy::pinned()});
  ConcurrentContext back("back", {.strategy = Strategy::pinned()});
  const Connection connection = tcp_connection();
  expect_read_in(front, connection);
  for (int i = 0; i < 5; ++i) expect_read_in(back, connection);
  EXPECT_EQ(connection.near.owner(), loop_id(front));
  EXPECT_EQ(connection.near.counters().transfers, 0u);
  EXPECT_EQ(connection.near.counters().cross_context_wakeups, 5u);
  EXPECT_TRUE(connection.near.close());
}

}  // namespace
}  // namespace weft::test
