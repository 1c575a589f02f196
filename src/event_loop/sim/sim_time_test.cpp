// SPDX-License-Identifier: Apache-2.0
// Virtual time: sleeping, deadlines, cancellation, latency, and what happens when time has nowhere to go.
#include "base/clock.hpp"

#include <gtest/gtest.h>

#include "event_loop/descriptor/descriptor_use.hpp"
#include "event_loop/sim/sim_event_loop.hpp"
#include "fiber/join.hpp"
#include "support/sim_runner.hpp"
#include "support/sim_sockets.hpp"

#include <thread>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::connect;
using test::listen;
using test::localhost;
using test::SimHandle;
using test::SimPair;
using test::SimRunner;

constexpr std::int64_t kHourNs = 3600ll * 1'000'000'000;

SimOptions with_latency(std::chrono::nanoseconds latency) {
  SimOptions options;
  options.latency_min_ns = options.latency_max_ns = latency.count();
  return options;
}

TEST(SimTime, AnHourTakesNoRealTime) {
  SimRunner runner;
  const std::int64_t real_start = monotonic_ns();
  runner.spawn([&] {
    const std::int64_t start = now_ns();
    EXPECT_EQ(test::sleep_until(Deadline::after(1h)), WaitOutcome::kTimedOut);
    EXPECT_EQ(now_ns() - start, kHourNs) << "to the nanosecond";
  });
  runner.run();
  EXPECT_LT(monotonic_ns() - real_start, 60ll * 1'000'000'000);
}

TEST(SimTime, BelongsToTheThreadThatDrivesTheWorld) {
  {
    SimRunner runner;
    EXPECT_EQ(now_ns(), SimOptions{}.start_ns);
    std::thread([] { EXPECT_NE(now_ns(), SimOptions{}.start_ns); }).join();
  }
  EXPECT_NE(now_ns(), SimOptions{}.start_ns);
}

TEST(SimTime, SleepersWakeInTheOrderOfTheirDeadlines) {
  SimRunner runner;
  std::string order;
  for (const int hours : {3, 1, 2}) {
    runner.spawn([&order, hours] {
      test::sleep_until(Deadline::after(std::chrono::hours(hours)));
      order += static_cast<char>('0' + hours);
    });
  }
  runner.run();
  EXPECT_EQ(order, "123");
  EXPECT_EQ(runner.loop.time_ns(), SimOptions{}.start_ns + 3 * kHourNs);
}

TEST(SimTime, StandsStillWhileSomethingCanRun) {
  SimRunner runner;
  runner.spawn([&] { test::sleep_until(Deadline::after(1ns)); });
  runner.spawn([&] {
    for (int i = 0; i < 1000; ++i) runner.yield();
    EXPECT_EQ(now_ns(), SimOptions{}.start_ns);
  });
  runner.run();
}

TEST(SimTime, EveryWaitHasADeadline) {
  SimOptions options;
  options.buffer_size = 4;
  SimRunner runner(options);
  runner.spawn([&] {
    SimPair pair(runner.loop);
    const SimHandle listener = listen(runner.loop, localhost(80)).value();
    const std::int64_t start = now_ns();
    EXPECT_EQ(pair.client.read(1, Deadline::after(1s)).error(), Errc::timed_out);
    EXPECT_EQ(pair.client.write("full", Deadline::after(1s)).value(), 4u);
    EXPECT_EQ(pair.client.write("more", Deadline::after(1s)).error(), Errc::timed_out);
    EXPECT_EQ(listener.accept(Deadline::after(1s)).error(), Errc::timed_out);
    EXPECT_EQ(now_ns() - start, 3'000'000'000);
    EXPECT_EQ(listener.accept(Deadline::after(-1s)).error(), Errc::timed_out) << "passed already";
    EXPECT_EQ(pair.server.read_exact(4), "full") << "nothing was lost";
  });
  runner.run();
}

TEST(SimTime, AnOperationThatNeedNotWaitIgnoresItsDeadline) {
  SimRunner runner;
  runner.spawn([&] {
    SimPair pair(runner.loop);
    ASSERT_TRUE(pair.client.write("x", Deadline::after(-1s)));
    ASSERT_TRUE(Files::wait_ready(pair.server.handle, Direction::kRead, {}));
    EXPECT_EQ(pair.server.read(1, Deadline::after(-1s)).value(), "x");
  });
  runner.run();
}

TEST(SimTime, CancellationEndsAWait) {
  SimRunner runner;
  runner.spawn([&] {
    SimPair pair(runner.loop);
    const SimHandle listener = listen(runner.loop, localhost(80)).value();
    Fiber& reader = runner.spawn([&] { EXPECT_EQ(pair.server.read().error(), Errc::cancelled); });
    Fiber& acceptor = runner.spawn([&] { EXPECT_EQ(listener.accept().error(), Errc::cancelled); });
    runner.yield();
    reader.cancel();
    acceptor.cancel();
    EXPECT_EQ(join_fiber(reader, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    EXPECT_EQ(join_fiber(acceptor, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    ASSERT_TRUE(pair.client.write("still works"));
    EXPECT_EQ(pair.server.read().value(), "still works");
  });
  runner.run();
}

TEST(SimTime, AConnectIsCancelledToo) {
  SimRunner runner(with_latency(1s));
  runner.spawn([&] {
    const SimHandle listener = listen(runner.loop, localhost(80)).value();
    Fiber& client =
        runner.spawn([&] { EXPECT_EQ(connect(runner.loop, localhost(80)).error(), Errc::cancelled); });
    runner.yield();
    client.cancel();
    EXPECT_EQ(join_fiber(client, {}, WaitWord::Cancellable::kNo), WaitOutcome::kReady);
    EXPECT_EQ(listener.accept(Deadline::after(1h)).error(), Errc::timed_out) << "it never came";
  });
  runner.run();
}

TEST(SimTime, LatencyIsPaidOnceEachWay) {
  SimRunner runner(with_latency(10ms));
  runner.spawn([&] {
    const SimHandle listener = listen(runner.loop, localhost(80)).value();
    const std::int64_t start = now_ns();
    const SimHandle client = connect(runner.loop, localhost(80)).value();
    EXPECT_EQ(now_ns() - start, 20'000'000) << "asked and answered";
    const SimHandle server = listener.accept().value();
    EXPECT_EQ(now_ns() - start, 20'000'000);
    ASSERT_TRUE(client.write("x"));
    ASSERT_TRUE(server.read());
    EXPECT_EQ(now_ns() - start, 30'000'000);
  });
  runner.run();
}

TEST(SimTime, LatenciesAreDrawnBetweenTheirLimits) {
  SimOptions options;
  options.latency_min_ns = 1000;
  options.latency_max_ns = 2000;
  SimRunner runner(options);
  runner.spawn([&] {
    ASSERT_TRUE(listen(runner.loop, localhost(80)));
    std::int64_t least = kHourNs, most = 0;
    for (int i = 0; i < 200; ++i) {
      const std::int64_t start = now_ns();
      ASSERT_TRUE(connect(runner.loop, localhost(80)));
      least = std::min(least, now_ns() - start);
      most = std::max(most, now_ns() - start);
    }
    EXPECT_GE(least, 2000);
    EXPECT_LT(least, 2200);
    EXPECT_GT(most, 3800);
    EXPECT_LE(most, 4000);
  });
  runner.run();
}

TEST(SimStuck, IsReportedWithWhoWaitsForWhat) {
  SimOptions options;
  options.stuck_after_ns = 0;
  std::vector<SimStuck> reports;
  SimRunner* world = nullptr;
  options.on_stuck = [&](const SimStuck& stuck) {
    reports.push_back(stuck);
    world->stop();
  };
  SimRunner runner(options);
  world = &runner;
  Fiber& fiber = runner.spawn(
      [&] { EXPECT_EQ(listen(runner.loop, localhost(80)).value().accept().error(), Errc::cancelled); },
      {.name = "hermit"});
  runner.run();
  ASSERT_EQ(reports.size(), 1u);
  ASSERT_EQ(reports[0].waiting.size(), 1u);
  EXPECT_NE(reports[0].waiting[0].find("\"hermit\""), std::string::npos) << reports[0].waiting[0];
  EXPECT_NE(reports[0].waiting[0].find("waits to accept at 127.0.0.1:80"), std::string::npos);
  fiber.cancel();
  runner.run();
}

TEST(SimStuck, TheHookMaySetTheWorldGoingAgain) {
  SimOptions options;
  options.stuck_after_ns = 0;
  std::vector<Fiber*> fibers;
  int reports = 0;
  options.on_stuck = [&](const SimStuck&) { fibers[static_cast<std::size_t>(reports++)]->cancel(); };
  SimRunner runner(options);
  const SimHandle listener = listen(runner.loop, localhost(80)).value();
  for (int i = 0; i < 2; ++i) {
    fibers.push_back(&runner.spawn([&] { EXPECT_EQ(listener.accept().error(), Errc::cancelled); }));
  }
  runner.run();
  EXPECT_EQ(reports, 2) << "the second is as stuck as the first was";
}

TEST(SimStuck, StopsTheProgramIfNobodyAskedToBeTold) {
  const auto deadlock = [] {
    SimOptions options;
    options.stuck_after_ns = 0;
    SimRunner runner(options);
    runner.spawn([&] { static_cast<void>(SimPair(runner.loop).client.read()); }, {.name = "lonely"});
    runner.run();
  };
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(deadlock(), "lonely.* waits to read.*\n.*BUG: the simulation is stuck");
}

TEST(SimStuck, WhatComesFromOutsideInTimeGoesOn) {
  SimRunner runner;  // waits for some seconds of real time
  SimHandle listener{};
  Fiber& acceptor = runner.spawn([&] {
    listener = listen(runner.loop, localhost(80)).value();
    EXPECT_EQ(listener.accept().error(), Errc::cancelled);
  });
  std::thread outside([&] { acceptor.cancel(); });  // before, while or after it waits
  runner.run();
  outside.join();
}

TEST(SimStuck, AStreamClosedFromOutsideReachesItsPeer) {
  SimRunner runner;
  Atomic<DescriptorHandle*> shared{nullptr};
  DescriptorHandle client;
  runner.spawn([&] {
    SimPair pair(runner.loop);
    client = pair.client.handle;
    shared.store(&client, release);
    EXPECT_EQ(pair.server.read().error(), Errc::end_of_file);
  });
  std::thread outside([&] {
    while (shared.load(acquire) == nullptr) std::this_thread::yield();
    EXPECT_TRUE(close_descriptor(client));
  });
  runner.run();
  outside.join();
}

}  // namespace
}  // namespace weft
