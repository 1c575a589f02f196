// SPDX-License-Identifier: Apache-2.0
// Laws L12 to L14: nobody starves, idle is idle, and what happened can be seen.
#include "execution_context/diagnostics/monitor.hpp"
#include "support/laws.hpp"

#include <poll.h>
#include <vector>

namespace weft::test {
namespace {

using sys::Call;
using namespace std::chrono_literals;

/// Blocks this plain thread, by the system call itself: the wrappers in sys are what is being counted.
void pass_real_time(std::chrono::milliseconds time) {
  ASSERT_EQ(poll(nullptr, 0, static_cast<int>(time.count())), 0);
}

TEST_F(Laws, L12_AFiberWhoseReadsNeverHaveToWaitLetsOthersRun) {
  const Connection connection = tcp_connection();
  connection.far.send(std::string(1000, 'x'));
  int reads = 0;
  int reads_when_the_other_ran = -1;
  auto reader = a.spawn([&] {
    spawn([&] { reads_when_the_other_ran = reads; }).detach();
    for (; reads < 1000; ++reads) EXPECT_TRUE(connection.near.read(1));
  });
  reader.join_uncancellable();
  EXPECT_GE(reads_when_the_other_ran, 0);
  EXPECT_LE(reads_when_the_other_ran, 64);
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L12_AFiberWhoseOperationsNeverHaveToWaitNoticesThatItIsCancelled) {
  const Connection connection = tcp_connection();
  connection.far.send(std::string(1000, 'x'));
  int reads = 0;
  auto reader = a.spawn([&] {
    std::error_code error;
    while (!error && reads < 1000) {
      if (auto read = connection.near.read(1); read) {
        if (++reads == 1) this_fiber_required("the test").cancel();
      } else {
        error = read.error();
      }
    }
    EXPECT_EQ(connection.near.read(1).error(), error);  // sticky
    return error;
  });
  EXPECT_EQ(reader.join_uncancellable(), Errc::cancelled);
  EXPECT_LE(reads, 64);
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L12_TheLoopIsPolledWhileTheQueueIsNeverEmpty) {
  const Connection connection = tcp_connection();
  bool done = false;
  std::vector<JoinHandle<void>> busy;
  for (int i = 0; i < 2; ++i) {
    busy.push_back(a.spawn([&] {
      while (!done) yield();
    }));
  }
  auto reader = a.spawn([&] {
    EXPECT_EQ(connection.near.read().value(), "through");
    done = true;
  });
  connection.near.until_awaited(Direction::kRead);
  connection.far.send("through");
  reader.join_uncancellable();
  for (auto& fiber : busy) fiber.join_uncancellable();
  EXPECT_TRUE(connection.near.close());
}

TEST_F(Laws, L13_AProcessWithIdleConnectionsAndLongLimitsMakesNoSyscall) {
  std::vector<Connection> connections;
  std::vector<JoinHandle<std::error_code>> readers;
  for (int i = 0; i < 100; ++i) connections.push_back(tcp_connection());
  for (const Connection& connection : connections) {
    readers.push_back(a.spawn([near = connection.near] {
      EXPECT_EQ(near.read_exact(1), "s");
      return near.read(1, Deadline::after(60s)).error();
    }));
  }
  for (const Connection& connection : connections) connection.far.send("s");
  for (const Connection& connection : connections) {
    eventually(
        [&] { return connection.near.counters().wakeups >= 1 || connection.near.awaited(Direction::kRead); },
        "the connection's wait");
  }
  // Settled when nothing is called for a while, and nothing is left to be given back; then a window in which
  // nothing may be. The time itself is what is looked at, from outside: nothing is synchronized by it.
  sys::CallCounter counter;
  std::uint64_t calls = 0;
  do {
    counter.reset();
    pass_real_time(50ms);
    calls = counter.counts().total();
  } while (calls != 0 || !Monitor::parked());
  const std::uint64_t polls = a.event_loop_counters().polls;
  counter.reset();
  pass_real_time(1s);
  EXPECT_EQ(counter.counts().total(), 0u);
  EXPECT_EQ(a.event_loop_counters().polls, polls);
  for (const Connection& connection : connections) EXPECT_TRUE(connection.near.close());
  for (auto& reader : readers) EXPECT_EQ(reader.join_uncancellable(), Errc::closed);
}

TEST_F(Laws, L14_TheCountersTellWhatHappened) {
  const Connection connection = tcp_connection();
  const EventLoopCounters fresh = a.event_loop_counters();
  EXPECT_EQ(fresh.registrations, 0u);
  settle_in(a, connection);
  const EventLoopCounters after_a = a.event_loop_counters();
  EXPECT_EQ(after_a.registrations, 1u);
  EXPECT_EQ(after_a.transfers, 0u);
  EXPECT_EQ(after_a.wakeups, 1u);
  EXPECT_EQ(after_a.cross_context_wakeups, 0u);
  EXPECT_GE(after_a.polls, after_a.empty_polls + 1);
  EXPECT_GE(after_a.events, after_a.unawaited_edges + 1);
  settle_in(b, connection);
  EXPECT_EQ(b.event_loop_counters().registrations, 1u);
  EXPECT_EQ(b.event_loop_counters().transfers, 1u);
  EXPECT_EQ(a.event_loop_counters().registrations, 1u);

  const DescriptorCounters own = connection.near.counters();
  EXPECT_EQ(own.registrations, 2u);
  EXPECT_EQ(own.transfers, 1u);
  EXPECT_EQ(own.wakeups, 2u);
  EXPECT_EQ(own.cross_context_wakeups, 0u);

  const std::uint64_t fired = a.event_loop_counters().timers_fired;
  a.spawn([] { EXPECT_TRUE(sleep(1us)); }).join_uncancellable();
  EXPECT_EQ(a.event_loop_counters().timers_fired, fired + 1);
  EXPECT_EQ(a.event_loop_counters().stale_events, 0u);
  EXPECT_TRUE(connection.near.close());
}

// The alarm of a loop (docs/design/event-loop.md, "Timeouts"): a thread sleeps in the loop that both share
// until a far deadline, without a timeout, and its sibling arms a near one.
TEST(LoopAlarm, ADeadlineThatIsArmedWhileASiblingSleepsUntilAFarOneIsMet) {
  ParallelContext pair("pair", {.parallelism = 2});
  sys::CallCounter counter;
  auto far = pair.spawn([] { return sleep(1h); });
  eventually([&] { return counter.counts()[Call::timer_fd_set] != 0; }, "the alarm");
  for (int i = 0; i < 20; ++i) {
    pair.spawn([] {
          pass_real_time(5ms);  // the sibling takes over the loop, and sleeps
          const Deadline start = Deadline::after(0ms);
          EXPECT_TRUE(sleep(5ms));
          EXPECT_LT(Deadline::after(0ms).time_ns() - start.time_ns(), 30'000'000'000);
        })
        .join_uncancellable();
  }
  far.cancel();
  EXPECT_EQ(far.join_uncancellable().error(), Errc::cancelled);
}

}  // namespace
}  // namespace weft::test
