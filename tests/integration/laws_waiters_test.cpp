// SPDX-License-Identifier: Apache-2.0
// Laws L4 to L6: who is woken by what, and who wins.
#include "io/kernel_network.hpp"
#include "support/laws.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace weft::test {
namespace {

using sys::Call;
using namespace std::chrono_literals;

std::size_t waiters(const Near& near, Direction direction) {
  const std::scoped_lock lock(near.handle.descriptor->lock);
  std::size_t count = 0;
  near.handle.descriptor->waiters_of(direction).for_each([&](WaitNode&) { ++count; });
  return count;
}

void until_waiting(const Near& near, std::size_t count) {
  eventually([&] { return waiters(near, Direction::kRead) == count; }, "the waiters");
}

Near listener_of(sys::Fd fd) { return {adopt(std::move(fd), DescriptorKind::kListener)}; }

std::error_code accept_one(const Near& listener) {
  const Result<Accepted> accepted = kernel_network().accept(listener.handle, Deadline::after(kPatience));
  if (!accepted) return accepted.error();
  EXPECT_TRUE(close_descriptor(accepted->handle));
  return {};
}

TEST_F(Laws, L4_ThreePendingConnectionsWakeThreeAcceptingFibers) {
  sys::Fd socket = listening_socket();
  const sys::RawAddress address = address_of(socket);
  const Near listener = listener_of(std::move(socket));
  std::vector<JoinHandle<std::error_code>> acceptors;
  for (int i = 0; i < 3; ++i) acceptors.push_back(a.spawn([&] { return accept_one(listener); }));
  until_waiting(listener, 3);
  Window window;  // nobody polls while they come: they are one edge
  auto blocker = a.spawn([&] { window.hold(); });
  window.entered.wait();
  std::vector<Far> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connect_to(address));
  window.leave.open();
  for (auto& acceptor : acceptors) EXPECT_FALSE(acceptor.join_uncancellable());
  blocker.join_uncancellable();
  EXPECT_EQ(listener.counters().wakeups, 1u);
  EXPECT_TRUE(listener.close());
}

TEST_F(Laws, L4_AWokenWaiterThatFailsPassesTheTurn) {
  sys::Fd socket = listening_socket();
  const sys::RawAddress address = address_of(socket);
  const Near listener = listener_of(std::move(socket));
  std::vector<JoinHandle<std::error_code>> acceptors;
  for (int i = 0; i < 2; ++i) {
    acceptors.push_back(a.spawn([&] { return accept_one(listener); }));
    until_waiting(listener, static_cast<std::size_t>(i + 1));
  }
  sys::FaultPlan faults;
  faults.fail(Call::accept, EMFILE, {.fd = listener.fd()});
  const Far client = connect_to(address);
  EXPECT_EQ(acceptors[0].join_uncancellable(), sys::error_of(EMFILE));
  EXPECT_FALSE(acceptors[1].join_uncancellable());
  EXPECT_TRUE(listener.close());
}

TEST_F(Laws, L4_AReaderThatLeavesBytesBehindPassesTheTurn) {
  const Connection connection = tcp_connection();
  std::vector<JoinHandle<std::string>> readers;
  for (int i = 0; i < 4; ++i) readers.push_back(a.spawn([&] { return connection.near.read_exact(1); }));
  until_waiting(connection.near, 4);
  connection.far.send("1234");
  std::string all;
  for (auto& reader : readers) all += reader.join_uncancellable();
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, "1234");
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L4_WaitingForReadinessTakesNothingFromTheNext) {
  const Connection connection = tcp_connection();
  std::vector<JoinHandle<Result<void>>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(a.spawn([&] {
      return Files::wait_ready(connection.near.handle, Direction::kRead, Deadline::after(kPatience));
    }));
  }
  until_waiting(connection.near, 3);
  connection.far.send("x");
  for (auto& waiter : waiting) EXPECT_TRUE(waiter.join_uncancellable());
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L5_AnErrorOfAUdpSocketWakesEveryReaderOnceAndDoesNotSpin) {
  sys::Fd nobody = sys::create_socket(AF_INET, SOCK_DGRAM).value();
  ASSERT_TRUE(sys::bind(nobody.get(), sys::RawAddress(loopback())));
  sys::Fd socket = sys::create_socket(AF_INET, SOCK_DGRAM).value();
  ASSERT_TRUE(sys::connect(socket.get(), address_of(nobody)));
  nobody.reset();
  const Near near{adopt(std::move(socket), DescriptorKind::kOther)};
  auto first = a.spawn([&] { return near.read().error(); });
  auto second = a.spawn([&] { return near.read().error(); });
  until_waiting(near, 2);
  sys::CallCounter counter;
  a.spawn([&] { EXPECT_TRUE(near.write("is anybody there?")); }).join_uncancellable();
  // One of them gets the error, the other finds nothing and waits on.
  eventually([&] { return near.counters().wakeups >= 2 && waiters(near, Direction::kRead) == 1; },
             "the error");
  EXPECT_TRUE(near.close());
  const std::error_code refused = sys::error_of(ECONNREFUSED);
  const std::error_code closed = Errc::closed;
  const std::error_code one = first.join_uncancellable();
  const std::error_code other = second.join_uncancellable();
  EXPECT_TRUE((one == refused && other == closed) || (one == closed && other == refused)) << one << other;
  EXPECT_LE(counter.counts()[Call::recv], 4u);
}

TEST_F(Laws, L5_AnUnconnectedTcpSocketThatHangsUpDoesNotSpin) {
  const Near near{adopt(sys::create_socket(AF_INET, SOCK_STREAM).value(), DescriptorKind::kStream)};
  a.spawn([&] {
     EXPECT_TRUE(Files::wait_ready(near.handle, Direction::kRead, Deadline::after(kPatience)));
     EXPECT_EQ(near.read().error(), sys::error_of(ENOTCONN));
     // Registered, with the hang-up as its first edge.
     near.handle.descriptor->readiness.reset();
     ASSERT_TRUE(
         near.handle.descriptor->readiness.clear(near.handle.descriptor->readiness.load(), Direction::kRead));
     EXPECT_EQ(near.read(1, Deadline::after(kPatience)).error(), sys::error_of(ENOTCONN));
   }).join_uncancellable();
  EXPECT_EQ(near.counters().registrations, 1u);
  EXPECT_LE(a.event_loop_counters().events, 1u);
  EXPECT_TRUE(near.close());
}

TEST_F(Laws, L5_AResetWakesTheReaderAndTheWriter) {
  Connection connection = tcp_connection();
  auto reader = a.spawn([&] { return connection.near.read().error(); });
  auto writer = a.spawn([&] { return connection.near.write_until_it_fails(); });
  connection.near.until_awaited(Direction::kRead);
  connection.near.until_awaited(Direction::kWrite);
  connection.far.reset();
  // The error goes to whoever asks first; the other is told what the connection is now.
  const std::error_code reading = reader.join_uncancellable();
  const std::error_code writing = writer.join_uncancellable();
  EXPECT_TRUE(reading == sys::error_of(ECONNRESET) || reading == Errc::end_of_file) << reading;
  EXPECT_TRUE(writing == sys::error_of(ECONNRESET) || writing == sys::error_of(EPIPE)) << writing;
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L5_AShutdownByOurselvesWakesTheReader) {
  const Connection connection = tcp_connection();
  auto reader = a.spawn([&] { return connection.near.read().error(); });
  connection.near.until_awaited(Direction::kRead);
  b.spawn([&] { EXPECT_TRUE(Files::shutdown(connection.near.handle, SHUT_RD)); }).join_uncancellable();
  EXPECT_EQ(reader.join_uncancellable(), Errc::end_of_file);
  EXPECT_TRUE(connection.near.close());
}

// Data, a deadline and a cancel request at about the same time, over and over: the fiber runs on exactly
// once, with one of the three; two enqueues of one wait would be a BUG of the scheduler.
TEST_F(Laws, L6_ReadinessDeadlineAndCancelHaveOneWinner) {
  ParallelContext pair("pair", {.parallelism = 2});
  const Connection connection = tcp_connection();
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    const auto deadline = std::chrono::microseconds(random() % 60);
    auto reader = pair.spawn([&] { return connection.near.read(1, Deadline::after(deadline)); });
    for (auto spins = random() % 4000; spins != 0; --spins) cpu_relax();
    connection.far.send("x");
    if (random() % 2 == 0) reader.cancel();
    const Result<std::string> result = reader.join_uncancellable();
    if (result) {
      EXPECT_EQ(*result, "x");
    } else {
      EXPECT_TRUE(result.error() == Errc::timed_out || result.error() == Errc::cancelled) << result.error();
      pair.spawn([&] { EXPECT_EQ(connection.near.read_exact(1), "x"); }).join_uncancellable();
    }
    EXPECT_FALSE(connection.near.awaited(Direction::kRead));
  }
  EXPECT_TRUE(connection.near.close());
}

}  // namespace
}  // namespace weft::test
