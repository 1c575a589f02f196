// SPDX-License-Identifier: Apache-2.0
// Which waits make a deadlock, and which never do (docs/design/deadlock.md).
#include "execution_context/diagnostics/deadlock_check.hpp"
#include "execution_context/library_thread.hpp"
#include "support/contexts.hpp"

#include <weft/weft.hpp>

#include <thread>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using Answer = DeadlockCheck::Answer;

class DeadlockReportsTest : public testing::Test {
 protected:
  DeadlockReportsTest() {
    set_deadlock_handler([](const DeadlockReport&) {});
  }
  ~DeadlockReportsTest() override { set_deadlock_handler({}); }

  /// What is found out once all that have been spawned wait: one thread runs them in turn.
  Answer answer_at_rest() {
    context_.spawn([] {}).join_uncancellable();
    return DeadlockCheck().ask(true);
  }

  /// Asks until it is one.
  static bool becomes_deadlocked(bool assume_threads_idle = true) {
    const auto end = std::chrono::steady_clock::now() + test::kPatience;
    while (DeadlockCheck().ask(assume_threads_idle) != Answer::kDeadlocked) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }

  ConcurrentContext context_{"archive"};
  Channel<int> never_;
};

TEST_F(DeadlockReportsTest, AReceiveThatNobodySendsTo) {
  auto fiber = context_.spawn([&] { return never_.receive().has_value(); });
  EXPECT_TRUE(becomes_deadlocked());
  never_.close();
  EXPECT_FALSE(fiber.join_uncancellable());
}

TEST_F(DeadlockReportsTest, ALockThatIsNeverGivenBack) {
  Mutex mutex;
  mutex.lock();
  auto fiber = context_.spawn([&] { const std::scoped_lock lock(mutex); });
  EXPECT_TRUE(becomes_deadlocked());
  mutex.unlock();
  fiber.join_uncancellable();
}

TEST_F(DeadlockReportsTest, AConditionAPermitAndALatchThatDoNotCome) {
  Mutex mutex;
  ConditionVariable condition;
  Semaphore permits(0);
  Latch latch(1);
  bool holds = false;
  auto first = context_.spawn([&] {
    std::unique_lock lock(mutex);
    condition.wait_uncancellable(lock, [&] { return holds; });
  });
  auto second = context_.spawn([&] { permits.acquire_uncancellable(); });
  auto third = context_.spawn([&] { latch.wait_uncancellable(); });
  EXPECT_TRUE(becomes_deadlocked());
  permits.release();
  latch.count_down();
  {
    const std::scoped_lock lock(mutex);
    holds = true;
  }
  condition.notify_all();
  first.join_uncancellable();
  second.join_uncancellable();
  third.join_uncancellable();
}

TEST_F(DeadlockReportsTest, ASelectOverChannelsOnly) {
  Channel<int> other;
  auto fiber = context_.spawn(
      [&] { select(receive(never_, [](Result<int>) {}), send(other, 1, [](Result<void>) {})); });
  EXPECT_TRUE(becomes_deadlocked());
  never_.close();
  fiber.join_uncancellable();
}

TEST_F(DeadlockReportsTest, ASelectWithADeadlineIsNone) {
  auto fiber = context_.spawn([&] { select(receive(never_, [](Result<int>) {}), after(1h, [] {})); });
  EXPECT_EQ(answer_at_rest(), Answer::kAlive);
  never_.close();
  fiber.join_uncancellable();
}

TEST_F(DeadlockReportsTest, AFiberThatAcceptsKeepsAllTheOthersFromBeingReported) {
  auto stuck = context_.spawn([&] { return never_.receive().has_value(); });
  auto accepting = context_.spawn([&] {
    auto listener = net::TcpListener::bind("127.0.0.1:0").value();
    return listener.accept().has_value();
  });
  EXPECT_EQ(answer_at_rest(), Answer::kAlive);
  accepting.cancel();
  EXPECT_FALSE(accepting.join_uncancellable());
  EXPECT_TRUE(becomes_deadlocked()) << "with the other gone";
  never_.close();
  stuck.join_uncancellable();
}

TEST_F(DeadlockReportsTest, AFiberThatWaitsForASignalKeepsAllTheOthersFromBeingReported) {
  SignalSet set{SIGUSR1};
  auto waits = context_.spawn([&] { return set.wait().has_value(); });
  auto fiber = context_.spawn([&] { return never_.receive().has_value(); });
  EXPECT_EQ(answer_at_rest(), Answer::kAlive);
  raise_signal(SIGUSR1);
  EXPECT_TRUE(waits.join_uncancellable());
  EXPECT_TRUE(becomes_deadlocked());  // the set and the thread of signals are still there
  never_.close();
  EXPECT_FALSE(fiber.join_uncancellable());
}

TEST_F(DeadlockReportsTest, AFiberThatWaitsForABlockingCallKeepsAllTheOthersFromBeingReported) {
  Channel<int> go;
  auto calls = context_.spawn([&] { return blocking([&] { return go.receive().value_or(0); }).value(); });
  auto fiber = context_.spawn([&] { return never_.receive().has_value(); });
  while (default_blocking_pool().counters().started_calls == 0) std::this_thread::yield();
  EXPECT_EQ(answer_at_rest(), Answer::kAlive);
  EXPECT_TRUE(go.send(4));
  EXPECT_EQ(calls.join_uncancellable(), 4);
  EXPECT_TRUE(becomes_deadlocked(true));  // the idle thread of the pool is accounted for
  never_.close();
  EXPECT_FALSE(fiber.join_uncancellable());
}

TEST_F(DeadlockReportsTest, AThreadThatReceivesIsAccountedForAndAThreadThatDoesNotIsNot) {
  auto fiber = context_.spawn([&] { return never_.receive().has_value(); });
  Channel<int> results;
  std::thread asker([&] {
    const LibraryThread mark("asker");
    EXPECT_TRUE(becomes_deadlocked(false));  // this thread aside, the test's own receives
    never_.close();
    results.close();
  });
  EXPECT_FALSE(results.receive());
  asker.join();
  fiber.join_uncancellable();
}

TEST_F(DeadlockReportsTest, AThreadThatReceivesUntilATimeMayStillWakeAFiber) {
  auto fiber = context_.spawn([&] { return never_.receive().has_value(); });
  Channel<int> results;
  std::thread asker([&] {
    const LibraryThread mark("asker");
    EXPECT_TRUE(becomes_deadlocked());
    EXPECT_NE(DeadlockCheck().ask(false), Answer::kDeadlocked);
    results.close();
  });
  EXPECT_FALSE(results.receive_until(Deadline::after(1h)));
  asker.join();
  never_.close();
  fiber.join_uncancellable();
}

}  // namespace
}  // namespace weft
