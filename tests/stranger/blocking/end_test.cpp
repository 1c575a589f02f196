// SPDX-License-Identifier: Apache-2.0
// How a call ends that may not start any more, and what a start holds back: cancellation, deadlines, scopes,
// the end of main and of a pool.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <latch>
#include <optional>
#include <system_error>

namespace {

using namespace std::chrono_literals;
using stranger::in_fiber;

/// A pool of one thread that is busy until the end of the object.
class BusyPool {
 public:
  BusyPool() {
    holder_ = weft::spawn([this] {
      return pool.run([this] {
        entered_.count_down();
        leave_.wait();
      });
    });
    while (!entered_.try_wait()) weft::yield();
  }
  ~BusyPool() { finish(); }

  void finish() {
    if (!holder_.joinable()) return;
    leave_.count_down();
    EXPECT_TRUE(holder_.join_uncancellable());
  }
  void until_waiting(std::size_t calls) {
    while (pool.counters().waiting_calls != calls) weft::yield();
  }

  weft::BlockingPool pool{"busy", {.threads_max = 1}};

 private:
  std::latch entered_{1}, leave_{1};
  weft::JoinHandle<weft::Result<void>> holder_;
};

TEST(BlockingEnd, ACancelledCallThatWaitsForAThreadIsNeverMade) {
  in_fiber([] {
    bool called = false;
    BusyPool busy;
    auto waiting = weft::spawn([&] { return busy.pool.run([&] { called = true; }); });
    busy.until_waiting(1);
    waiting.cancel();
    EXPECT_EQ(waiting.join().error(), weft::Errc::cancelled);
    busy.until_waiting(0);
    busy.finish();
    EXPECT_FALSE(called);
    EXPECT_EQ(busy.pool.counters().started_calls, 1u);
  });
}

TEST(BlockingEnd, ADeadlineAndTheDeadlineOfAScopeHoldForTheStart) {
  in_fiber([] {
    bool called = false;
    BusyPool busy;
    EXPECT_EQ(busy.pool.run_until(2ms, [&] { called = true; }).error(), weft::Errc::timed_out);
    {
      const weft::CancelScope scope(2ms);
      EXPECT_EQ(busy.pool.run([&] { called = true; }).error(), weft::Errc::timed_out);
    }
    EXPECT_EQ(weft::with_timeout(2ms, [&] { return busy.pool.run([&] { called = true; }); }).error(),
              weft::Errc::timed_out);
    busy.finish();
    EXPECT_FALSE(called);
  });
}

TEST(BlockingEnd, ACancelledFiberStartsNothingMore) {
  in_fiber([] {
    bool called = false;
    auto fiber = weft::spawn([&] {
      EXPECT_EQ(weft::sleep(1h).error(), weft::Errc::cancelled);
      EXPECT_EQ(weft::blocking([&] { called = true; }).error(), weft::Errc::cancelled);
      const weft::CancelShield shield;
      return weft::blocking([&] { return 4; });
    });
    weft::yield();
    fiber.cancel();
    EXPECT_EQ(fiber.join().value(), 4);
    EXPECT_FALSE(called);
  });
}

TEST(BlockingEnd, ACallThatHasStartedIsWaitedForAndItsValueIsNotLost) {
  in_fiber([] {
    std::latch entered{1}, leave{1};
    auto fiber = weft::spawn([&] {
      for (;;) {
        const weft::CancelScope scope(2ms);  // passes while it runs; or before, on a busy machine
        const auto value = weft::blocking([&] {
          entered.count_down();
          leave.wait();
          return 6;
        });
        if (value.error() != weft::Errc::timed_out) return value;
      }
    });
    while (!entered.try_wait()) weft::yield();
    fiber.cancel();
    for (int i = 0; i < 100; ++i) weft::yield();
    EXPECT_FALSE(fiber.done());
    leave.count_down();
    EXPECT_EQ(fiber.join_uncancellable().value(), 6);
  });
}

TEST(BlockingEnd, TheEndOfMainWaitsForWhatHasStartedOnly) {
  std::latch entered{1}, leave{1};
  int ended = 0, never = 0;
  std::optional<weft::BlockingPool> pool(std::in_place, "main", weft::BlockingOptions{.threads_max = 1});
  weft::run([&] {
    weft::spawn([&] {
      static_cast<void>(pool->run([&] {
        entered.count_down();
        leave.wait();
        ++ended;
      }));
    });
    while (!entered.try_wait()) weft::yield();
    weft::spawn([&] {
      static_cast<void>(pool->run([&] { ++never; }));
      leave.count_down();  // it is cancelled, while the other one is waited for
    });
    while (pool->counters().waiting_calls != 1) weft::yield();
  });
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(never, 0);
  pool.reset();
}

TEST(BlockingEnd, ANewPoolHasNoThreadsAndItsEndLeavesNone) {
  weft::BlockingPool pool("threads");
  EXPECT_EQ(pool.counters().threads, 0u);
  in_fiber([&] { pool.run([] {}).value(); });
  EXPECT_EQ(pool.counters().threads, 1u);
}

TEST(BlockingEnd, OptionsOutOfRangeAreRefusedWithTheReason) {
  try {
    const weft::BlockingPool pool("none", {.threads_max = 0});
    ADD_FAILURE() << "it was made";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("1 to 1,000 threads"), std::string::npos) << error.what();
  }
}

}  // namespace
