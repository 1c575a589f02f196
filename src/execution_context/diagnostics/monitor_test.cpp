// SPDX-License-Identifier: Apache-2.0
// S8 and S11: fibers that keep their thread. Nothing here passes without the monitor, but for what says
// "never".
#include "execution_context/diagnostics/monitor.hpp"

#include "base/clock.hpp"
#include "base/sanitizers.hpp"
#include "execution_context/context_registry.hpp"
#include "support/contexts.hpp"

#include <weft/monitor.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <cstdlib>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::Flag;

struct Seen {
  std::string context;
  std::string fiber;
  std::size_t frames = 0;
  std::chrono::nanoseconds stuck_for{};
};

/// Collects reports while it lives.
class Reports {
 public:
  Reports() {
    set_stuck_report_after(20ms);
    set_stuck_handler([this](const StuckReport& report) {
      std::scoped_lock lock(lock_);
      seen_.push_back({std::string(report.context), std::string(report.fiber), report.backtrace.size(),
                       report.stuck_for});
    });
  }
  ~Reports() {
    set_stuck_handler({});
    set_stuck_report_after(100ms);
  }

  std::size_t count(std::string_view context) {
    std::scoped_lock lock(lock_);
    std::size_t count = 0;
    for (const Seen& each : seen_) count += each.context == context ? 1 : 0;
    return count;
  }
  /// Keeps the calling thread, as a stuck fiber does, until `context` is reported for the n-th time.
  bool wait_for(std::string_view context, std::size_t nth = 1) {
    const auto end = std::chrono::steady_clock::now() + test::kPatience;
    while (count(context) < nth) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }
  Seen last() {
    std::scoped_lock lock(lock_);
    return seen_.back();
  }

 private:
  std::mutex lock_;
  std::vector<Seen> seen_;
};

TEST(MonitorTest, S8_SiblingsRunWhatAStuckFiberLeftInTheRunNextSlot) {
  ParallelContext context("workers", {.parallelism = 2});
  context
      .spawn([&] {
        Flag child_ran;
        auto child = spawn([&] { child_ran.set(); });
        EXPECT_TRUE(child_ran.wait());  // keeps the thread; the child stands in its slot
        child.join_uncancellable();
      })
      .join_uncancellable();
}

TEST(MonitorTest, S8_SiblingsRunAllThatWaitsBehindAStuckFiber) {
  constexpr std::uint32_t kThreads = 4;
  ParallelContext context("workers", {.parallelism = kThreads});
  context
      .spawn([&] {
        std::latch together(kThreads);
        std::vector<JoinHandle<void>> handles;
        for (std::uint32_t i = 1; i < kThreads; ++i)
          handles.push_back(spawn([&] { together.arrive_and_wait(); }));
        together.arrive_and_wait();
        for (auto& handle : handles) handle.join_uncancellable();
      })
      .join_uncancellable();
}

// The fibers have shown to be short, so nobody was woken for two of them (batch_worth.hpp). The first one
// then keeps its thread until the other has run.
TEST(MonitorTest, SiblingsRunWhatAPollBroughtWithoutWakingThem) {
  ParallelContext context("workers", {.parallelism = 2});
  constexpr std::int64_t kRoundNs = 1'000'000;
  constexpr int kRounds = 50;
  const std::int64_t start_ns = now_ns();
  std::latch together(2);
  const auto come_along = [&] {
    for (int round = 1; round <= kRounds; ++round)
      EXPECT_TRUE(sleep_until(Deadline::at_ns(start_ns + round * kRoundNs)));
    together.arrive_and_wait();
  };
  auto one = context.spawn(come_along);
  auto other = context.spawn(come_along);
  one.join_uncancellable();
  other.join_uncancellable();
}

// The poller wakes one fiber, keeps the duty for it, and is stuck in it.
TEST(MonitorTest, S11_TimersAreNoticedWhileTheKeeperOfThePollDutyIsStuck) {
  ParallelContext context("workers", {.parallelism = 2});
  Flag timer_fired;
  auto timer = context.spawn([&] {
    EXPECT_TRUE(sleep(30ms));
    timer_fired.set();
  });
  context
      .spawn([&] {
        EXPECT_TRUE(sleep(1ms));
        EXPECT_TRUE(timer_fired.wait());
      })
      .join_uncancellable();
  timer.join_uncancellable();
}

TEST(MonitorTest, S8_AStuckFiberIsReportedByItsNameWithABacktrace) {
#if WEFT_TSAN  // which holds signals back
  constexpr std::size_t kFrames = 0;
#else
  constexpr std::size_t kFrames = 3;
#endif
  Reports reports;
  ConcurrentContext context("busy");
  auto hog = [&, before = std::size_t{0}]() mutable {
    const bool reported = reports.wait_for("busy", ++before);
    return reported ? reports.last() : Seen{};
  };
  Seen seen;
  // Once more where the machine gave the stuck thread no time to say where it was.
  for (const auto end = std::chrono::steady_clock::now() + test::kPatience;
       (seen.context.empty() || seen.frames < kFrames) && std::chrono::steady_clock::now() < end;) {
    seen = context.spawn([&] { return hog(); }, {.name = "hog"}).join_uncancellable();
  }
  EXPECT_THAT(seen.fiber, testing::HasSubstr("\"hog\""));
  EXPECT_THAT(seen.fiber, testing::HasSubstr("monitor_test.cpp"));
  EXPECT_GE(seen.stuck_for, 20ms);
  EXPECT_GE(seen.frames, kFrames);
}

TEST(MonitorTest, AStuckFiberIsReportedOnceForEachOccurrence) {
  Reports reports;
  ConcurrentContext first("first"), second("second");
  Flag go;
  auto stuck = first.spawn([&] {
    EXPECT_TRUE(reports.wait_for("first"));
    EXPECT_TRUE(go.wait());
    yield();
    while (reports.count("first") < 2) {}
  });
  // The second is stuck later, and long enough for several more looks at the first.
  for (int i = 0; i < 2; ++i) {
    second
        .spawn([&, before = reports.count("second")] {
          while (reports.count("second") == before) {}
        })
        .join_uncancellable();
  }
  EXPECT_EQ(reports.count("first"), 1u);
  go.set();
  stuck.join_uncancellable();
  EXPECT_EQ(reports.count("first"), 2u);
}

// The monitor has not seen this thread before, and its first fiber runs already: it was told to be stuck for
// as long as the machine is up.
TEST(MonitorTest, AThreadThatIsSeenForTheFirstTimeIsStuckSinceThen) {
  Reports reports;
  ConcurrentContext context("fresh");
  context
      .spawn([&] {
        Context& core = *current_context();
        const std::int64_t began_ns = monotonic_ns();
        // With the lock that the monitor looks under.
        ContextRegistry::instance().for_each([&](Context& each) {
          if (&each != &core) return;
          each.for_each_scheduler(
              [](Scheduler& scheduler) { scheduler.monitor_record = {.ticks = scheduler.ticks()}; });
        });
        EXPECT_TRUE(reports.wait_for("fresh"));
        EXPECT_LE(reports.last().stuck_for.count(), monotonic_ns() - began_ns);
      })
      .join_uncancellable();
}

TEST(MonitorTest, AnIsolatedContextIsNeverReported) {
  Reports reports;
  ConcurrentContext context("busy");
  Flag done;
  IsolatedContext isolated("isolated", context, [&] { EXPECT_TRUE(done.wait()); });
  EXPECT_TRUE(context.spawn([&] { return reports.wait_for("busy"); }).join_uncancellable());
  done.set();
  isolated.join_uncancellable();
  EXPECT_EQ(reports.count("isolated"), 0u);
}

TEST(MonitorTest, AFiberThatYieldsToItselfIsNeverReported) {
  Reports reports;
  ConcurrentContext yielding("yielding"), stuck("stuck");
  Flag done;
  using Clock = std::chrono::steady_clock;
  auto polite = yielding.spawn([&] {
    auto longest = Clock::duration::zero();
    for (auto last = Clock::now(); !done.is_set();) {
      yield();
      const auto now = Clock::now();
      longest = std::max(longest, now - std::exchange(last, now));
    }
    return longest;
  });
  EXPECT_TRUE(stuck.spawn([&] { return reports.wait_for("stuck"); }).join_uncancellable());
  done.set();
  // If the machine has kept the thread from running that long, a report is right.
  const bool ran_all_the_time = polite.join_uncancellable() < 10ms;
  EXPECT_TRUE(!ran_all_the_time || reports.count("yielding") == 0);
}

TEST(MonitorTest, ReportsCanBeSwitchedOff) {
  Reports reports;
  set_stuck_report_after(0ms);
  ParallelContext context("workers", {.parallelism = 2});
  context
      .spawn([&] {
        for (int i = 0; i < 3; ++i) {  // some looks, as it takes one to pass the child on
          Flag child_ran;
          auto child = spawn([&] { child_ran.set(); });
          EXPECT_TRUE(child_ran.wait());
          child.join_uncancellable();
        }
      })
      .join_uncancellable();
  EXPECT_EQ(reports.count("workers"), 0u);
}

TEST(MonitorTest, S8_ParksWhenAllIsIdleAndIsWokenByTheNextFiber) {
  ConcurrentContext context("idle");
  const auto wait_until_parked = [] {
    const auto end = std::chrono::steady_clock::now() + test::kPatience;
    while (!Monitor::parked()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  };
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(wait_until_parked());
    context.spawn([] { EXPECT_FALSE(Monitor::parked()); }).join_uncancellable();
  }
}

TEST(MonitorTest, TheReportIsPrintedWithEveryFrame) {
  testing::internal::CaptureStderr();
  void* const frames[] = {reinterpret_cast<void*>(&std::exit), nullptr};
  print_stuck_report({.context = "gallery",
                      .scheduler = 3,
                      .fiber_id = 17,
                      .fiber = "\"resize\" (spawned at gallery.cpp:42)",
                      .stuck_for = 112ms,
                      .backtrace = frames});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_THAT(
      text, testing::HasSubstr("fiber \"resize\" (spawned at gallery.cpp:42) has not suspended for 112 ms"));
  EXPECT_THAT(text, testing::HasSubstr("scheduler 3 of context \"gallery\""));
  EXPECT_THAT(text, testing::HasSubstr("#0 exit"));
  EXPECT_THAT(text, testing::HasSubstr("#1 0"));
}

// The dump of a BUG took more than the time after which a fiber is reported as stuck, and was interrupted by
// that.
TEST(MonitorDeathTest, AFiberThatPanicsIsNotReportedAsStuck) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto panic_for_long = [] {
    ConcurrentContext context("dying");
    set_stuck_report_after(1ms);
    set_stuck_handler([](const StuckReport&) { write_to_stderr({"reported\n"}); });
    context
        .spawn([] {
          set_panic_hook([] {
            const auto end = std::chrono::steady_clock::now() + 100ms;
            while (std::chrono::steady_clock::now() < end) {}
            write_to_stderr({"dumped\n"});
          });
          WEFT_PANIC("it dies");
        })
        .join_uncancellable();
  };
  EXPECT_DEATH(panic_for_long(),
               testing::AllOf(testing::HasSubstr("BUG: it dies"), testing::HasSubstr("dumped"),
                              testing::Not(testing::HasSubstr("reported"))));
}

}  // namespace
}  // namespace weft
