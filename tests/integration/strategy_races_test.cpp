// SPDX-License-Identifier: Apache-2.0
// The races that docs/design/strategies.md names, and who polls under each placement.
#include "support/strategies.hpp"

#include <atomic>
#include <map>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

namespace weft::test {
namespace {

using sys::Call;

class PerWait : public testing::Test {
 protected:
  ConcurrentContext a{"a", {.strategy = Strategy::rearm_context()}};
  ConcurrentContext b{"b", {.strategy = Strategy::rearm_context()}};
  const Connection connection = tcp_connection();
  const Near near = connection.near;
};

TEST_F(PerWait, AReaderAndAWriterCostOneAddTwoModifiesAndOneDelete) {
  const sys::CallCounter counter;
  auto reader = read_in(a, near);
  until_settled(near, Direction::kRead);
  auto writer = a.spawn([&] { return near.write_until_it_fails(); });
  until_settled(near, Direction::kWrite);
  connection.far.send("x");
  EXPECT_EQ(reader.join_uncancellable().value(), "x");
  eventually([&] { return !registered(near).edges.read; }, "the reader's departure");
  EXPECT_TRUE(near.close());
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
  EXPECT_EQ(counter.counts()[Call::epoll_add], 1u);
  EXPECT_EQ(counter.counts()[Call::epoll_modify], 2u);
  EXPECT_EQ(counter.counts()[Call::epoll_remove], 1u);
}

TEST_F(PerWait, AWaiterThatComesDuringTheDeleteIsRegisteredByTheDeleter) {
  Window window;
  sys::FaultPlan faults;
  faults.run(Call::epoll_remove, [&](int) { window.hold(); }, {.fd = near.fd()});
  auto first = read_in(a, near);
  until_settled(near, Direction::kRead);
  connection.far.send("1");
  window.entered.wait();
  // The first has its wake-up, and holds the descriptor in its delete; its byte is the second's to see.
  auto second = b.spawn([&] { return near.read_exact(1); });
  std::string all;
  window.leave.open();
  connection.far.send("2");
  all += first.join_uncancellable().value();
  all += second.join_uncancellable();
  EXPECT_EQ(std::set<char>(all.begin(), all.end()), (std::set<char>{'1', '2'}));
  eventually([&] { return registered(near).state == Ownership::kUnowned; }, "the last departure");
  EXPECT_EQ(registrations_of(near.fd()), 0u);
  EXPECT_TRUE(near.close());
}

TEST_F(PerWait, AWriterThatQueuesDuringTheDeleteOfAReaderIsRegisteredByTheDeleter) {
  near.handle.descriptor->readiness.reset();
  a.spawn([&] { near.fill(); }).join_uncancellable();  // and the write direction is found empty
  Window window;
  sys::FaultPlan faults;
  faults.run(Call::epoll_remove, [&](int) { window.hold(); }, {.fd = near.fd()});
  auto reader = read_in(a, near);
  until_settled(near, Direction::kRead);
  connection.far.send("1");
  window.entered.wait();
  auto writer = b.spawn([&] { return near.write_until_it_fails(); });
  near.until_awaited(Direction::kWrite);
  EXPECT_EQ(registered(near).state, Ownership::kInTransfer);
  window.leave.open();
  EXPECT_EQ(reader.join_uncancellable().value(), "1");
  until_settled(near, Direction::kWrite);
  EXPECT_EQ(registered(near).owner, loop_id(a));  // by the reader, where it was
  const std::uint32_t wakeups = near.counters().wakeups;
  eventually([&] { return connection.far.drain(), near.counters().wakeups > wakeups; }, "the writer");
  EXPECT_TRUE(near.close());
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
}

TEST_F(PerWait, AForeignWaiterWhoseLoopRetiresGoesOnInItsOwn) {
  ConcurrentContext other("other", {.strategy = Strategy::lifetime()});
  auto owner =
      std::make_unique<ConcurrentContext>("owner", ConcurrentOptions{.strategy = Strategy::rearm_context()});
  auto reader = read_in(*owner, near);
  until_settled(near, Direction::kRead);
  auto writer = other.spawn([&] { return near.write_until_it_fails(); });
  until_settled(near, Direction::kWrite);
  EXPECT_EQ(registered(near).owner, loop_id(*owner));
  owner.reset();
  EXPECT_EQ(reader.join_uncancellable().error(), Errc::cancelled);
  eventually([&] { return near.owner() == loop_id(other); }, "the writer's own loop");
  EXPECT_TRUE(near.close());
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
}

TEST_F(PerWait, AFailedAddIsTheCallersErrorAndTheNextWaitWorks) {
  sys::FaultPlan faults;
  faults.fail(Call::epoll_add, ENOMEM, {.fd = near.fd()});
  EXPECT_EQ(read_in(a, near).join_uncancellable().error(), sys::error_of(ENOMEM));
  EXPECT_EQ(registered(near).state, Ownership::kUnowned);
  EXPECT_FALSE(near.awaited(Direction::kRead));
  expect_read_in(b, connection);
  EXPECT_TRUE(near.close());
}

TEST_F(PerWait, AFailedModifyEndsTheWaitsAndLeavesNothingRegistered) {
  auto reader = read_in(a, near);
  until_settled(near, Direction::kRead);
  sys::FaultPlan faults;
  faults.fail(Call::epoll_modify, ENOMEM, {.fd = near.fd()});
  auto writer = a.spawn([&] { return near.write_until_it_fails(); });
  EXPECT_EQ(writer.join_uncancellable(), sys::error_of(ENOMEM));
  until_settled(near, Direction::kRead);  // the reader has registered it itself
  connection.far.send("x");
  EXPECT_EQ(reader.join_uncancellable().value(), "x");
  EXPECT_TRUE(near.close());
}

ConcurrentOptions broadcasting() { return {.strategy = Strategy::broadcast()}; }

TEST(Broadcast, AnEdgeIsSeenByEveryLoop) {
  ConcurrentContext a("a", broadcasting()), b("b", broadcasting()), c("c", broadcasting());
  const Connection connection = tcp_connection();
  expect_read_in(a, connection);
  EXPECT_EQ(registrations_of(connection.near.fd()), 3u);
  auto reader = read_in(a, connection.near);
  until_settled(connection.near, Direction::kRead);
  std::map<ExecutionContext*, std::uint64_t> before;
  for (ConcurrentContext* context : {&a, &b, &c}) before[context] = context->event_loop_counters().events;
  connection.far.send("x");
  EXPECT_EQ(reader.join_uncancellable().value(), "x");
  for (const auto& entry : before) {
    eventually([&] { return entry.first->event_loop_counters().events > entry.second; },
               "the edge in each loop");
  }
  EXPECT_TRUE(connection.near.close());
}

TEST(Broadcast, ALoopThatIsBornLaterGetsAFileWhenItsOwnFiberWaits) {
  ConcurrentContext a("a", broadcasting());
  const Connection connection = tcp_connection();
  expect_read_in(a, connection);
  ConcurrentContext b("b", broadcasting()), c("c", broadcasting());
  EXPECT_EQ(registrations_of(connection.near.fd()), 1u);
  expect_read_in(c, connection);
  EXPECT_EQ(registrations_of(connection.near.fd()), 3u);
  expect_read_in(b, connection);
  EXPECT_TRUE(connection.near.close());
}

TEST(Broadcast, WhoWaitsThroughALoopThatRetiresGoesOnInItsOwn) {
  ConcurrentContext other("other", {.strategy = Strategy::lifetime()});
  auto only = std::make_unique<ConcurrentContext>("only", broadcasting());
  const Connection connection = tcp_connection();
  auto reader = read_in(*only, connection.near);
  until_settled(connection.near, Direction::kRead);
  auto writer = other.spawn([&] { return connection.near.write_until_it_fails(); });
  until_settled(connection.near, Direction::kWrite);
  EXPECT_EQ(registered(connection.near).state, Ownership::kBroadcast);
  only.reset();
  EXPECT_EQ(reader.join_uncancellable().error(), Errc::cancelled);
  eventually([&] { return connection.near.owner() == loop_id(other); }, "the writer's own loop");
  EXPECT_TRUE(connection.near.close());
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
}

TEST(Broadcast, ALoopWithoutRoomIsTriedAgainAndTheOthersServe) {
  ConcurrentContext a("a", broadcasting());
  const Connection connection = tcp_connection();
  {
    sys::FaultPlan faults;
    faults.fail(Call::epoll_add, ENOSPC, {.fd = connection.near.fd()});
    EXPECT_EQ(read_in(a, connection.near).join_uncancellable().error(), sys::error_of(ENOSPC));
    EXPECT_EQ(registrations_of(connection.near.fd()), 0u);
  }
  ConcurrentContext b("b", broadcasting());
  sys::FaultPlan faults;
  faults.fail(Call::epoll_add, ENOSPC, {.skip = 1, .fd = connection.near.fd()});
  expect_read_in(a, connection);
  EXPECT_EQ(registrations_of(connection.near.fd()), 1u);
  expect_read_in(b, connection);
  EXPECT_EQ(registrations_of(connection.near.fd()), 2u);
  EXPECT_TRUE(connection.near.close());
}

TEST(PerThread, AFiberStaysOnTheThreadItWasDealtTo) {
  ParallelContext context("lanes", {.parallelism = 3, .strategy = Strategy::rearm_thread()});
  std::vector<Connection> connections;
  std::vector<JoinHandle<std::thread::id>> fibers;
  for (int i = 0; i < 6; ++i) connections.push_back(tcp_connection());
  for (const Connection& connection : connections) {
    fibers.push_back(context.spawn([&near = connection.near] {
      const std::thread::id thread = std::this_thread::get_id();
      for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(near.read_exact(1), "x");
        EXPECT_TRUE(near.write("y"));
        EXPECT_EQ(std::this_thread::get_id(), thread);
      }
      return thread;
    }));
  }
  for (int i = 0; i < 10; ++i) {
    for (const Connection& connection : connections) connection.far.send("x");
    for (const Connection& connection : connections) EXPECT_EQ(connection.far.receive(), "y");
  }
  std::map<std::thread::id, int> dealt;
  for (auto& fiber : fibers) ++dealt[fiber.join_uncancellable()];
  EXPECT_EQ(dealt.size(), 3u);
  for (const auto& [thread, count] : dealt) EXPECT_EQ(count, 2);
  EXPECT_EQ(context.counters().steals, 0u);
  for (const Connection& connection : connections) EXPECT_TRUE(connection.near.close());
}

TEST(PerThread, AContextGrowsButDoesNotShrink) {
  ParallelContext context("lanes", {.parallelism = 1, .strategy = Strategy::lifetime_thread()});
  context.resize(3);
  EXPECT_EQ(context.parallelism(), 3u);
  std::vector<JoinHandle<std::thread::id>> fibers;
  for (int i = 0; i < 3; ++i) fibers.push_back(context.spawn([] { return std::this_thread::get_id(); }));
  std::set<std::thread::id> threads;
  for (auto& fiber : fibers) threads.insert(fiber.join_uncancellable());
  EXPECT_EQ(threads.size(), 3u);
  try {
    context.resize(2);
    FAIL() << "it was shrunk";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::operation_not_supported);
  }
}

TEST(PerThread, LanesEndTogetherThoughFibersOfOneSpawnIntoTheOthers) {
  for (int round = 0; round < 100; ++round) {
    std::atomic<int> ended{0};
    {
      ParallelContext context("lanes", {.parallelism = 3, .strategy = Strategy::lifetime_thread()});
      for (int i = 0; i < 4; ++i) {
        context
            .spawn([&] {
              for (int child = 0; child < 4; ++child) {
                spawn([&] {
                  static_cast<void>(sleep(std::chrono::hours(1)));
                  ++ended;
                }).detach();
                yield();
              }
              ++ended;
            })
            .detach();
      }
    }
    EXPECT_EQ(ended, 4 + 16);
  }
}

class OneLoop : public testing::TestWithParam<Strategy> {};

// The other context's thread must notice what the first one, which is kept from polling, waits for.
TEST_P(OneLoop, WhoIsIdleNoticesEventsForAContextThatIsBusy) {
  ConcurrentContext busy("busy", {.strategy = GetParam()});
  ConcurrentContext idle("idle", {.strategy = GetParam()});
  EXPECT_EQ(loop_id(busy), loop_id(idle));
  const Connection connection = tcp_connection();
  auto reader = read_in(busy, connection.near);
  until_settled(connection.near, Direction::kRead);
  Window window;
  auto blocker = busy.spawn([&] { window.hold(); });
  window.entered.wait();
  connection.far.send("x");
  eventually([&] { return connection.near.counters().wakeups == 1; }, "the event");
  window.leave.open();
  EXPECT_EQ(reader.join_uncancellable().value(), "x");
  blocker.join_uncancellable();
  EXPECT_TRUE(connection.near.close());
}

TEST_P(OneLoop, AnIsolatedThreadThatBlocksDoesNotKeepTheOthersFromPolling) {
  ConcurrentContext context("context", {.strategy = GetParam()});
  const Connection first = tcp_connection();
  const Connection second = tcp_connection();
  Window window;
  IsolatedContext isolated("isolated", {.spawn_context = &context, .strategy = GetParam()}, [&] {
    EXPECT_EQ(first.near.read(1).value(), "x");
    window.hold();
  });
  until_settled(first.near, Direction::kRead);
  auto reader = read_in(context, second.near);
  until_settled(second.near, Direction::kRead);
  first.far.send("x");
  window.entered.wait();
  second.far.send("y");
  EXPECT_EQ(reader.join_uncancellable().value(), "y");
  window.leave.open();
  isolated.join_uncancellable();
  EXPECT_TRUE(first.near.close());
  EXPECT_TRUE(second.near.close());
}

TEST_P(OneLoop, NoWakeUpIsLostWhileContextsComeAndGo) {
  ConcurrentContext stays("stays", {.strategy = GetParam()});
  const Connection connection = tcp_connection();
  auto server = stays.spawn([&] {
    while (auto text = connection.near.read()) EXPECT_TRUE(connection.near.write(*text));
  });
  for (int round = 0; round < 60; ++round) {
    ParallelContext comes("comes", {.parallelism = 2, .strategy = GetParam()});
    comes.spawn([] { EXPECT_TRUE(sleep(std::chrono::microseconds(50))); }).join_uncancellable();
    connection.far.send("x");
    EXPECT_EQ(connection.far.receive(), "x");
  }
  EXPECT_TRUE(connection.near.close());
  server.join_uncancellable();
}

INSTANTIATE_TEST_SUITE_P(, OneLoop, testing::Values(Strategy::process(), Strategy::dedicated()),
                         strategy_name);

}  // namespace
}  // namespace weft::test
