// SPDX-License-Identifier: Apache-2.0
// docs/design/deadlock.md: when everybody waits for somebody else, and contexts that do not end.
#include <weft/deadlock.hpp>

#include "execution_context/diagnostics/deadlock_check.hpp"
#include "execution_context/diagnostics/monitor.hpp"
#include "execution_context/library_thread.hpp"
#include "fiber/join.hpp"
#include "support/contexts.hpp"

#include <weft/dump.hpp>
#include <weft/this_fiber.hpp>

#include <optional>
#include <string>
#include <thread>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::Flag;
using testing::ContainsRegex;
using testing::HasSubstr;
using Answer = DeadlockCheck::Answer;

/// Two fibers that wait for each other until one is cancelled.
class Ring {
 public:
  explicit Ring(ExecutionContext& context)
      : first_(context.spawn(
            [this] {
              EXPECT_TRUE(ready_.wait());
              join_fiber(detail::Access::fiber(*second_), Deadline::never(), WaitWord::Cancellable::kYes);
            },
            {.name = "first"})),
        second_(context.spawn([this] { static_cast<void>(first_.join_until(Deadline::never())); },
                              {.name = "second"})) {
    ready_.set();
  }

  void cut() { first_.cancel(); }
  /// The second one has joined the first. Not by its handle, which is for one: the first one waits, too.
  void join() {
    EXPECT_EQ(join_fiber(detail::Access::fiber(*second_), Deadline::never(), WaitWord::Cancellable::kNo),
              WaitOutcome::kReady);
  }

 private:
  Flag ready_;
  JoinHandle<void> first_;
  std::optional<JoinHandle<void>> second_;
};

/// What is reported while it lives goes to `seen`, and calls `then`.
class DeadlockReports {
 public:
  explicit DeadlockReports(std::function<void()> then = [] {}) {
    set_deadlock_handler([this, then](const DeadlockReport& report) {
      last = report;
      dump = report.dump;
      ++count;
      then();
    });
  }
  ~DeadlockReports() {
    set_deadlock_handler({});
    set_deadlock_detection(DeadlockDetection::kCertain);
  }

  // Read by the test after what `then` did, or when the monitor sleeps.
  DeadlockReport last;
  std::string dump;
  int count = 0;
};

/// For tests that ask themselves.
class NoReports : DeadlockReports {};

Answer ask(bool assume_threads_idle) { return DeadlockCheck().ask(assume_threads_idle); }

/// Asks until the answer is the one that must come.
bool comes(Answer wanted, bool assume_threads_idle) {
  const auto end = std::chrono::steady_clock::now() + test::kPatience;
  DeadlockCheck check;
  while (check.ask(assume_threads_idle) != wanted) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(DeadlockTest, FibersThatWaitForEachOtherAreReportedWithWhatEachWaitsFor) {
  ConcurrentContext context("archive");
  std::optional<Ring> ring;
  DeadlockReports reports([&] { ring->cut(); });
  ring.emplace(context);
  ring->join();  // in a wait of weft's: this thread wakes nobody
  EXPECT_EQ(reports.last.fibers, 2u);
  EXPECT_EQ(reports.last.threads, 1u);
  EXPECT_THAT(reports.dump, ContainsRegex("\"first\".* suspended in context \"archive\"\n"
                                          "weft:   waits for the end of fiber #[0-9]+\nweft:     "));
  EXPECT_THAT(reports.dump, ContainsRegex("weft: deadlock: #[0-9]+ waits for #"));
  EXPECT_THAT(reports.dump, ContainsRegex("weft: thread [0-9]+ suspended, in no context\n"
                                          "weft:   waits for the end of fiber #"));
}

TEST(DeadlockTest, EachIsReportedOnce) {
  ConcurrentContext context("archive");
  DeadlockReports reports;
  set_deadlock_detection(DeadlockDetection::kAssumeThreadsIdle);
  for (int i = 1; i <= 2; ++i) {
    Ring ring(context);
    // Parked is what follows the look that reports; that it sleeps for ever says that no other look follows.
    while (reports.count < i || !Monitor::parked()) std::this_thread::yield();
    EXPECT_EQ(reports.count, i);
    ring.cut();
    ring.join();
  }
}

TEST(DeadlockTest, WithoutAHandlerTheReportGoesToStandardError) {
  ConcurrentContext context("archive");
  set_deadlock_detection(DeadlockDetection::kAssumeThreadsIdle);
  testing::internal::CaptureStderr();
  Ring ring(context);
  Flag started;
  context.spawn([&] { started.set(); }).join_uncancellable();
  while (!Monitor::parked()) std::this_thread::yield();
  const std::string text = testing::internal::GetCapturedStderr();
  set_deadlock_detection(DeadlockDetection::kCertain);
  EXPECT_THAT(
      text,
      HasSubstr("weft: deadlock: nothing can run any more: 2 fibers and 0 threads wait for one another"));
  EXPECT_THAT(text, HasSubstr("\"second\""));
  ring.cut();
  ring.join();
}

TEST(DeadlockTest, AThreadThatRunsMayStillWakeAFiber) {
  ConcurrentContext context("archive");
  const NoReports no_reports;
  Ring ring(context);
  EXPECT_TRUE(comes(Answer::kUnknown, false)) << "this thread does not wait";
  EXPECT_TRUE(comes(Answer::kDeadlocked, true));
  ring.cut();
  ring.join();
}

TEST(DeadlockTest, ThreadsThatWaitForFibersAreAccountedFor) {
  ConcurrentContext context("archive");
  const NoReports no_reports;
  Ring ring(context);
  std::optional<Answer> while_one_runs;
  std::thread asker([&] {
    const LibraryThread mark("asker");
    EXPECT_TRUE(comes(Answer::kDeadlocked, false));
    Flag end;
    std::thread running([&] { EXPECT_TRUE(end.wait()); });
    while_one_runs = ask(false);
    end.set();
    running.join();
    ring.cut();
  });
  ring.join();
  asker.join();
  EXPECT_EQ(while_one_runs, Answer::kUnknown);
}

TEST(DeadlockTest, ADeadlineIsNoDeadlock) {
  ConcurrentContext context("archive");
  const NoReports no_reports;
  Ring ring(context);
  auto sleeper = context.spawn([] { return sleep(1h).has_value(); });
  context.spawn([] {}).join_uncancellable();
  EXPECT_EQ(ask(true), Answer::kAlive);
  sleeper.cancel();
  sleeper.join_uncancellable();
  EXPECT_TRUE(comes(Answer::kDeadlocked, true)) << "with the sleeper gone";
  ring.cut();
  ring.join();
}

TEST(DeadlockTest, AnIsolatedFiberThatBlocksItsThreadIsNoDeadlock) {
  ConcurrentContext context("archive");
  const NoReports no_reports;
  Ring ring(context);
  Flag blocks, end;
  IsolatedContext isolated("reader", {.spawn_context = &context}, [&] {
    blocks.set();
    EXPECT_TRUE(end.wait());
  });
  ASSERT_TRUE(blocks.wait());
  EXPECT_TRUE(comes(Answer::kUnknown, true)) << "it may still wake somebody, and is asked about again";
  end.set();
  isolated.join_uncancellable();
  EXPECT_TRUE(comes(Answer::kDeadlocked, true));
  ring.cut();
  ring.join();
}

TEST(DeadlockTest, WithoutFibersThereIsNone) {
  ConcurrentContext context("archive");
  context.spawn([] {}).join_uncancellable();
  EXPECT_EQ(ask(true), Answer::kAlive);
}

// Races of docs/design/deadlock.md between the look and those who go on: fibers of two threads and a plain
// one wake one another without a pause, so that each is seen suspended now and then, but never all at one
// moment.
TEST(DeadlockTest, ThoseWhoWakeOneAnotherAreNeverTakenForADeadlock) {
  ParallelContext context("busy", {.parallelism = 2});
  const NoReports no_reports;
  Atomic<bool> stop{false};
  auto busy = context.spawn([&] {
    while (!stop.load(relaxed)) spawn([] { yield(); }).join_uncancellable();
  });
  std::thread thread([&] {
    while (!stop.load(relaxed)) context.spawn([] {}).join_uncancellable();
  });
  DeadlockCheck check;
  int deadlocks = 0;
  for (int i = 0; i < 20'000; ++i) deadlocks += check.ask(true) == Answer::kDeadlocked ? 1 : 0;
  stop.store(true, relaxed);
  busy.join_uncancellable();
  thread.join();
  EXPECT_EQ(deadlocks, 0);
}

TEST(LeakTest, AContextThatDoesNotEndIsReportedOnceWithItsFibers) {
  ConcurrentContext other("other");
  Flag entered;
  auto slow = other.spawn([&] { return sleep(1h).has_value(); }, {.name = "slow"});
  std::string dump;
  int count = 0;
  set_leak_report_after(20ms);
  set_leak_handler([&](const LeakReport& report) {
    EXPECT_EQ(report.context, "closing");
    EXPECT_EQ(report.fibers, 1u);
    EXPECT_GE(report.shutting_down_for, 20ms);
    dump = report.dump;
    ++count;
    slow.cancel();
  });
  {
    ConcurrentContext context("closing");
    context
        .spawn(
            [&] {
              entered.set();
              slow.join_uncancellable();  // not cancellable
            },
            {.name = "deaf"})
        .detach();
    ASSERT_TRUE(entered.wait());
  }
  set_leak_handler({});
  set_leak_report_after(2s);
  EXPECT_EQ(count, 1);
  EXPECT_THAT(dump, ContainsRegex("\"deaf\".* suspended in context \"closing\"\n"
                                  "weft:   waits for the end of fiber #"));
  EXPECT_THAT(dump, testing::Not(HasSubstr("\"slow\"")));
}

}  // namespace
}  // namespace weft
