// SPDX-License-Identifier: Apache-2.0
// Laws L1 to L3 and L8: how descriptors are registered, and what their edges mean.
#include "support/laws.hpp"

#include <netinet/tcp.h>

namespace weft::test {
namespace {

using sys::Call;

void echo(const Near& near) {
  while (auto text = near.read()) {
    if (!near.write(*text)) break;
  }
}

TEST_F(Laws, L1_AKeptAliveConnectionCostsOneReceiveAndOneSendARequestAndNoEpollCtl) {
  const Connection connection = tcp_connection();
  auto server = a.spawn([&] { echo(connection.near); });
  const auto round_trip = [&] {
    connection.far.send("request");
    EXPECT_EQ(connection.far.receive(), "request");
  };
  for (int i = 0; i < 5; ++i) round_trip();

  const EventLoopCounters before = a.event_loop_counters();
  sys::CallCounter counter;
  for (int i = 0; i < 200; ++i) round_trip();
  const sys::CallCounts counts = counter.counts();
  const EventLoopCounters after = a.event_loop_counters();
  EXPECT_EQ(counts.epoll_ctl(), 0u);
  EXPECT_EQ(counts[Call::recv], 200u);
  EXPECT_EQ(counts[Call::send], 200u);
  EXPECT_EQ(counts.event_fd(), 0u);
  // At most one for each batch; what found nothing is the adaptive spin's, or the look before a sleep.
  EXPECT_LE((after.polls - after.empty_polls) - (before.polls - before.empty_polls), 201u);
  EXPECT_TRUE(connection.near.close());
  server.join_uncancellable();
}

TEST_F(Laws, L1_AnFdIsAddedOnceForAllEdgesAndNeverModified) {
  const Connection connection = tcp_connection();
  sys::CallCounter counter;
  settle_in(a, connection);
  auto writer = a.spawn([&] { return connection.near.write_until_it_fails(); });
  connection.near.until_awaited(Direction::kWrite);
  settle_in(a, connection);
  EXPECT_TRUE(connection.near.close());
  EXPECT_EQ(writer.join_uncancellable(), Errc::closed);
  EXPECT_EQ(counter.counts()[Call::epoll_add], 1u);
  EXPECT_EQ(counter.counts()[Call::epoll_modify], 0u);
  EXPECT_EQ(counter.counts()[Call::epoll_remove], 1u);
}

TEST_F(Laws, L2_TheSyscallIsTriedBeforeAnyWait) {
  const Connection connection = tcp_connection();
  connection.far.send("ready");
  sys::CallCounter counter;
  a.spawn([&] { EXPECT_EQ(connection.near.read().value(), "ready"); }).join_uncancellable();
  EXPECT_EQ(counter.counts()[Call::recv], 1u);
  EXPECT_EQ(counter.counts().epoll_ctl(), 0u);
  EXPECT_TRUE(connection.near.close());
  EXPECT_EQ(counter.counts().epoll_ctl(), 0u);
}

// How many receives it takes to wait for five bytes, read them, and find that there are no more.
std::uint64_t receives_for_a_short_read(ConcurrentContext& context, const Connection& connection) {
  sys::CallCounter counter;
  auto reader = context.spawn([&] {
    EXPECT_EQ(connection.near.read().value(), "bytes");
    EXPECT_EQ(connection.near.read().error(), Errc::closed);
  });
  connection.near.until_awaited(Direction::kRead);
  connection.far.send("bytes");
  eventually(
      [&] { return connection.near.counters().wakeups == 1 && connection.near.awaited(Direction::kRead); },
      "the second wait");
  EXPECT_TRUE(connection.near.close());
  reader.join_uncancellable();
  return counter.counts()[Call::recv];
}

TEST_F(Laws, L2_AShortCountOnTcpSavesTheReadThatFindsNothing) {
  EXPECT_EQ(receives_for_a_short_read(a, tcp_connection()), 2u);  // the first try, and the bytes
}

TEST_F(Laws, L2_AShortCountOnAUnixSocketProvesNothing) {
  EXPECT_EQ(receives_for_a_short_read(a, unix_connection()), 3u);
}

// Runs `send` while the context's thread cannot poll, so that all of it becomes one edge; then reads to the
// end.
template <class Send>
std::string read_what_came_as_one_edge(ConcurrentContext& context, const Connection& connection, Send send,
                                       std::size_t size) {
  Window window;
  auto reader = context.spawn([&] {
    EXPECT_EQ(connection.near.read().value(), "x");
    window.hold();
    return connection.near.read_exact(size, Deadline::after(std::chrono::seconds(5)));
  });
  connection.near.until_awaited(Direction::kRead);
  connection.far.send("x");
  window.entered.wait();
  send();
  window.leave.open();
  return reader.join_uncancellable();
}

TEST_F(Laws, L2_AShortCountBeforeUrgentDataProvesNothing) {
  const Connection connection = tcp_connection();
  const auto send = [&] {
    connection.far.send("ab");
    connection.far.send("!", MSG_OOB);
    connection.far.send("cd");
  };
  EXPECT_EQ(read_what_came_as_one_edge(a, connection, send, 4), "abcd");
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L2_AShortCountBeforeTheEndOfTheStreamProvesNothing) {
  const Connection connection = tcp_connection();
  const auto send = [&] {
    connection.far.send("last");
    connection.far.finish_sending();
  };
  EXPECT_EQ(read_what_came_as_one_edge(a, connection, send, 4), "last");
  a.spawn([&] {
     EXPECT_EQ(connection.near.read(1, Deadline::after(kPatience)).error(), Errc::end_of_file);
   }).join_uncancellable();
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L3_AnEdgeWithNobodyWaitingIsRemembered) {
  const Connection connection = tcp_connection();
  settle_in(a, connection);
  const std::uint32_t unawaited = connection.near.counters().unawaited_edges;
  connection.far.send("early");
  eventually([&] { return connection.near.counters().unawaited_edges > unawaited; }, "the edge");
  sys::CallCounter counter;
  a.spawn([&] { EXPECT_EQ(connection.near.read().value(), "early"); }).join_uncancellable();
  EXPECT_EQ(counter.counts()[Call::recv], 1u);
  EXPECT_TRUE(connection.near.close());
}

// The other thread of the context takes the edge while the reader stands between its load and its receive,
// which is then told that there is nothing.
TEST_F(Laws, L3_AnEdgeThatComesDuringTheAttemptKeepsTheDescriptorReady) {
  ParallelContext pair("pair", {.parallelism = 2});
  const Connection connection = tcp_connection();
  settle_in(pair, connection);
  sys::FaultPlan faults;
  faults.run(
      Call::recv,
      [&](int) {
        const std::uint32_t unawaited = connection.near.counters().unawaited_edges;
        connection.far.send("now");
        eventually([&] { return connection.near.counters().unawaited_edges > unawaited; }, "the edge");
      },
      {.fd = connection.near.fd()}, EAGAIN);
  pair.spawn([&] {
        // The short read before has cleared the ready bit: give the reader something to attempt.
        connection.near.handle.descriptor->readiness.signal(true, false, false);
        EXPECT_EQ(connection.near.read(8, Deadline::after(kPatience)).value(), "now");
      })
      .join_uncancellable();
  EXPECT_EQ(faults.applied(), 1u);
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L8_AStaleHandleNeverReachesTheFileThatHasItsNumberNow) {
  const Connection old = unix_connection();
  const int number = old.near.fd();
  EXPECT_TRUE(old.near.close());
  const Connection now = unix_connection();
  ASSERT_EQ(now.near.fd(), number);
  ASSERT_EQ(now.near.handle.descriptor, old.near.handle.descriptor);
  now.far.send("not yours");
  a.spawn([&] {
     EXPECT_EQ(old.near.read().error(), Errc::closed);
     EXPECT_EQ(old.near.write("x").error(), Errc::closed);
     EXPECT_EQ(Files::shutdown(old.near.handle, SHUT_RDWR).error(), Errc::closed);
     EXPECT_EQ(Files::wait_ready(old.near.handle, Direction::kRead, {}).error(), Errc::closed);
     EXPECT_EQ(old.near.close().error(), Errc::closed);
     EXPECT_EQ(now.near.read().value(), "not yours");
   }).join_uncancellable();
  EXPECT_TRUE(now.near.close());
}

}  // namespace
}  // namespace weft::test
