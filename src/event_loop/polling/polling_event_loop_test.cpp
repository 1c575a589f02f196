// SPDX-License-Identifier: Apache-2.0
// The generic half over a platform whose events are the test's: what no kernel can be made to do on demand.
#include "event_loop/polling/polling_event_loop.hpp"
#include "event_loop/operation/files.hpp"

#include "base/clock.hpp"
#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_use.hpp"
#include "support/sim_runner.hpp"
#include "sys/socket.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <sys/socket.h>
#include <vector>

namespace weft {
namespace {

/// A loop that delivers what it is told.
class ScriptedLoop final : public PollingEventLoop {
 public:
  struct Event {
    std::uint64_t data;
    Signals signals;
  };
  std::vector<Event> next;                  ///< what the next poll delivers
  std::function<void()> when_idle = [] {};  ///< called by a poll that has nothing
  std::vector<std::uint64_t> added;         ///< the data of each add()
  std::vector<int> removed;
  int notified = 0;
  std::vector<std::int64_t> timeouts;  ///< of the polls
  bool has_alarms = true;
  std::vector<std::int64_t> alarms;  ///< that were set

  Result<void> add(int, std::uint64_t data, Edges) noexcept override {
    return added.push_back(data), Result<void>();
  }
  Result<void> modify(int, std::uint64_t, Edges) noexcept override { return {}; }
  void remove(int fd) noexcept override { removed.push_back(fd); }
  void notify() noexcept override { ++notified; }
  bool set_alarm(std::int64_t time_ns) noexcept override {
    if (has_alarms) alarms.push_back(time_ns);
    return has_alarms;
  }
  void ring() { alarm_rang(); }
  std::size_t poll(std::int64_t timeout_ns) noexcept override {
    timeouts.push_back(timeout_ns);
    if (next.empty()) when_idle();
    const std::vector<Event> events = std::exchange(next, {});
    for (const Event& event : events) deliver(event.data, event.signals);
    return events.size();
  }
};

class ScriptedLoopTest : public testing::Test {
 protected:
  static constexpr Signals kReadEdge{.read = true};

  DescriptorHandle open() {
    Descriptor* const descriptor =
        DescriptorArena::instance().allocate(pair_.first.release(), DescriptorKind::kOther);
    const DescriptorHandle handle{descriptor, descriptor->usage.generation()};
    descriptor->usage.open();
    return handle;
  }
  static std::uint64_t data_of(DescriptorHandle handle) {
    return std::uint64_t{handle.generation} << 32 | handle.descriptor->index;
  }

  sys::SocketPair pair_ = sys::create_socket_pair(SOCK_STREAM).value();
  test::LoopRunner<ScriptedLoop> runner_{std::make_unique<ScriptedLoop>()};
  ScriptedLoop& loop_ = runner_.loop;
};

TEST_F(ScriptedLoopTest, L8_AnEventForAnEarlierFileOfTheRecordIsDropped) {
  runner_.spawn([&] {
    const DescriptorHandle old = open();
    ASSERT_TRUE(close_descriptor(old));
    pair_ = sys::create_socket_pair(SOCK_STREAM).value();
    const DescriptorHandle now = open();
    ASSERT_EQ(now.descriptor, old.descriptor);
    loop_.when_idle = [&] {
      loop_.next = {{data_of(old), {.read = true, .write = true, .unusual = true, .hang_up = true}}};
      loop_.when_idle = [&] {
        EXPECT_EQ(::send(pair_.second.get(), "x", 1, 0), 1);
        loop_.next = {{data_of(now), kReadEdge}};
      };
    };
    std::byte byte{};
    EXPECT_TRUE(Files::read(now, std::span(&byte, 1), {}));
    EXPECT_EQ(loop_.counters().stale_events, 1u);
    EXPECT_EQ(loop_.counters().wakeups, 1u);
    EXPECT_FALSE(now.descriptor->readiness.load().unusual());
    EXPECT_TRUE(close_descriptor(now));
  });
  runner_.run();
}

TEST_F(ScriptedLoopTest, InterruptsAreEventsThatASpinMayWaitFor) {
  std::int64_t time = now_ns();
  set_clock_override(&time);
  loop_.when_idle = [&] {
    time += 20'000;
    loop_.interrupt();
  };
  FiberQueue none;
  const std::int64_t end = time + 5 * SpinPolicy::kWindowNs;
  while (loop_.counters().spins < 10 && time < end) {
    loop_.prepare_to_block();
    loop_.run(runner_, none);
  }
  EXPECT_EQ(loop_.counters().spins, 10u);
  EXPECT_EQ(loop_.counters().useful_spins, 10u);
  set_clock_override(nullptr);
}

TEST_F(ScriptedLoopTest, AnEdgeThatWasWrongOnlyCostsATry) {
  runner_.spawn([&] {
    const DescriptorHandle handle = open();
    int edges = 0;
    loop_.when_idle = [&] {
      if (++edges == 3) {
        EXPECT_EQ(::send(pair_.second.get(), "x", 1, 0), 1);
      }
      loop_.next = {{data_of(handle), kReadEdge}};
    };
    std::byte byte{};
    EXPECT_TRUE(Files::read(handle, std::span(&byte, 1), {}));
    EXPECT_EQ(edges, 3);
    EXPECT_EQ(loop_.added.size(), 1u);  // L1
    EXPECT_TRUE(close_descriptor(handle));
    EXPECT_EQ(loop_.removed.size(), 1u);
  });
  runner_.run();
}

TEST_F(ScriptedLoopTest, ALoopThatIsNotAsleepIsInterruptedWithoutASyscall) {
  loop_.interrupt();
  loop_.prepare_to_block();
  loop_.interrupt();
  EXPECT_EQ(loop_.notified, 0);
  FiberQueue runnable;
  loop_.when_idle = [&] { loop_.interrupt(); };
  loop_.prepare_to_block();
  loop_.run(runner_, runnable);
  EXPECT_EQ(loop_.notified, 1);
  EXPECT_EQ(loop_.counters().interrupts, 1u);
}

// -- timeouts ----------------------------------------------------------------------------------------------

class LoopAlarmTest : public ScriptedLoopTest {
 protected:
  static constexpr std::int64_t kSecond = 1'000'000'000;

  /// Reads a byte that comes with the next poll; that poll's timeout.
  std::int64_t timeout_of_a_read(DescriptorHandle handle, Deadline deadline) {
    loop_.timeouts.clear();
    loop_.when_idle = [&, handle] {
      EXPECT_EQ(::send(pair_.second.get(), "x", 1, 0), 1);
      loop_.next = {{data_of(handle), kReadEdge}};
    };
    std::byte byte{};
    EXPECT_TRUE(Files::read(handle, std::span(&byte, 1), deadline));
    EXPECT_EQ(loop_.timeouts.size(), 1u);
    return loop_.timeouts.front();
  }
  template <class Body>
  void with_descriptor(Body body) {
    runner_.spawn([&] {
      const DescriptorHandle handle = open();
      body(handle);
      EXPECT_TRUE(close_descriptor(handle));
    });
    runner_.run();
  }
};

TEST_F(LoopAlarmTest, OneServesAllPollsBeforeAFarDeadline) {
  with_descriptor([&](DescriptorHandle handle) {
    const std::int64_t start = now_ns();
    EXPECT_EQ(timeout_of_a_read(handle, Deadline::at_ns(start + 60 * kSecond)), -1);
    ASSERT_EQ(loop_.alarms.size(), 1u);
    EXPECT_GE(loop_.alarms[0], start + 59 * kSecond);
    EXPECT_LE(loop_.alarms[0], start + 61 * kSecond);
    for (int i = 1; i < 10; ++i)
      EXPECT_EQ(timeout_of_a_read(handle, Deadline::at_ns(start + (60 + i) * kSecond)), -1);
    EXPECT_EQ(loop_.alarms.size(), 1u);
  });
}

TEST_F(LoopAlarmTest, AnEarlierDeadlineGetsItsOwn) {
  with_descriptor([&](DescriptorHandle handle) {
    const std::int64_t start = now_ns();
    EXPECT_EQ(timeout_of_a_read(handle, Deadline::at_ns(start + 60 * kSecond)), -1);
    EXPECT_EQ(timeout_of_a_read(handle, Deadline::at_ns(start + 30 * kSecond)), -1);
    ASSERT_EQ(loop_.alarms.size(), 2u);
    EXPECT_LE(loop_.alarms[1], start + 31 * kSecond);
  });
}

TEST_F(LoopAlarmTest, ANearDeadlineIsATimeout) {
  with_descriptor([&](DescriptorHandle handle) {
    const std::int64_t timeout = timeout_of_a_read(handle, Deadline::after(std::chrono::milliseconds(20)));
    EXPECT_GE(timeout, 0);
    EXPECT_LE(timeout, kSecond / 50 + kSecond / 100);
    EXPECT_TRUE(loop_.alarms.empty());
  });
}

TEST_F(LoopAlarmTest, WhenItRangTheNextDeadlineGetsOne) {
  with_descriptor([&](DescriptorHandle handle) {
    const std::int64_t start = now_ns();
    EXPECT_EQ(timeout_of_a_read(handle, Deadline::at_ns(start + 60 * kSecond)), -1);
    loop_.ring();
    EXPECT_EQ(timeout_of_a_read(handle, Deadline::at_ns(start + 60 * kSecond)), -1);
    EXPECT_EQ(loop_.alarms.size(), 2u);
  });
}

TEST_F(LoopAlarmTest, WithoutAlarmsEachPollHasATimeout) {
  loop_.has_alarms = false;
  with_descriptor([&](DescriptorHandle handle) {
    const Deadline deadline = Deadline::after(std::chrono::seconds(60));
    for (int i = 0; i < 2; ++i) {
      const std::int64_t timeout = timeout_of_a_read(handle, deadline);
      EXPECT_GT(timeout, 58 * kSecond);
      EXPECT_LE(timeout, 61 * kSecond);
    }
  });
}

TEST_F(LoopAlarmTest, WithoutADeadlineThereIsNeither) {
  with_descriptor([&](DescriptorHandle handle) {
    EXPECT_EQ(timeout_of_a_read(handle, Deadline::never()), -1);
    EXPECT_TRUE(loop_.alarms.empty());
  });
}

}  // namespace
}  // namespace weft
