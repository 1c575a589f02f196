// SPDX-License-Identifier: Apache-2.0
// A duration is taken wherever a deadline is, and a sleep may be a statement.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <mutex>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;

TEST(Durations, AreDeadlinesFromNow) {
  stranger::in_fiber([] {
    const Deadline soon = 1h;
    EXPECT_LT(Deadline::after(59min), soon);
    EXPECT_LT(soon, Deadline::after(61min));
    EXPECT_TRUE(Deadline(-1ns).passed());
    EXPECT_TRUE(Deadline(std::chrono::hours::max()).is_never());
  });
}

TEST(Durations, EndEveryWait) {
  stranger::in_fiber([] {
    weft::Mutex mutex;
    weft::SharedMutex shared;
    weft::Semaphore semaphore(0);
    weft::Latch latch(2);
    weft::WaitGroup group;
    weft::Channel<int> channel(1);
    weft::ConditionVariable condition;
    weft::Once once;
    const std::scoped_lock held(mutex, shared);
    weft::Mutex free;
    std::unique_lock lock(free);
    group.add(1);
    EXPECT_TRUE(channel.send_until(1, 1h));
    weft::spawn([&] {
      EXPECT_EQ(mutex.lock_until(1ms).error(), Errc::timed_out);
      EXPECT_EQ(shared.lock_until(1ms).error(), Errc::timed_out);
      EXPECT_EQ(shared.lock_shared_until(1ms).error(), Errc::timed_out);
    }).join_uncancellable();
    EXPECT_EQ(semaphore.acquire_until(1ms).error(), Errc::timed_out);
    EXPECT_EQ(latch.wait_until(1ms).error(), Errc::timed_out);
    EXPECT_EQ(latch.arrive_and_wait_until(1ms).error(), Errc::timed_out);
    EXPECT_EQ(group.wait_until(1ms).error(), Errc::timed_out);
    EXPECT_EQ(channel.send_until(2, 1ms).error(), Errc::timed_out);
    EXPECT_EQ(channel.receive_until(1h).value(), 1);
    EXPECT_EQ(channel.receive_until(1ms).error(), Errc::timed_out);
    EXPECT_EQ(condition.wait_until(lock, 1ms).error(), Errc::timed_out);
    EXPECT_EQ(condition.wait_until(lock, 1ms, [] { return false; }).error(), Errc::timed_out);
    EXPECT_TRUE(weft::call_once_until(once, 1h, [] {}));
    group.done();
  });
}

TEST(Durations, EndScopesJoinsAndSelects) {
  stranger::in_fiber([] {
    weft::Channel<int> silent(0);
    const auto receive = [&] { return silent.receive().error(); };
    EXPECT_EQ(weft::with_deadline(1ms, [&] { return silent.receive(); }).error(), Errc::timed_out);
    EXPECT_EQ(weft::shield(receive, 1ms), Errc::timed_out);
    {
      const weft::CancelScope scope(1ms);
      EXPECT_EQ(receive(), Errc::timed_out);
    }
    {
      const weft::CancelShield scope(1ms);
      EXPECT_EQ(receive(), Errc::timed_out);
    }
    auto waiting = weft::spawn(receive);
    EXPECT_EQ(waiting.join_until(1ms).error(), Errc::timed_out);
    silent.close();
    EXPECT_EQ(waiting.join().error(), Errc::closed);
    bool woken = false;
    weft::Channel<int> quiet(0);
    EXPECT_TRUE(weft::select(weft::receive(quiet, [](weft::Result<int>) {}),
                             weft::after(1ms, [&] { woken = true; })));
    EXPECT_TRUE(woken);
  });
}

TEST(Sleep, MayBeAStatement) {
  stranger::in_fiber([] {
    weft::sleep(1ms);
    weft::sleep_until(1ms);
    weft::sleep_until(Deadline::after(1ms));
  });
}

TEST(Sleep, StillSaysThatItWasCancelled) {
  stranger::in_fiber([] {
    auto loop = weft::spawn([] {
      int rounds = 0;
      while (weft::sleep(1h)) ++rounds;
      return rounds;
    });
    loop.cancel();
    EXPECT_EQ(loop.join().value(), 0);
    auto kept = weft::spawn([]() -> weft::Result<void> { return weft::sleep(1h); });
    kept.cancel();
    EXPECT_EQ(kept.join().error(), Errc::cancelled);
  });
}

TEST(Sleep, IsAResultToWhateverCallsIt) {
  stranger::in_fiber([] {
    EXPECT_EQ(weft::with_timeout(1ms, [] { return weft::sleep(1h); }).error(), Errc::timed_out);
    EXPECT_TRUE(weft::with_timeout(1h, [] { return weft::sleep(1ms); }));
    auto sleeper = weft::spawn([] { return weft::sleep(1h); });
    sleeper.cancel();
    const weft::Result<void> slept = sleeper.join();
    EXPECT_EQ(slept.error(), Errc::cancelled);
    weft::TaskGroup<void> group;
    group.spawn([] { return weft::sleep(1h); });
    group.cancel();
    EXPECT_EQ(group.wait().error(), Errc::cancelled);
    EXPECT_TRUE(weft::all([] { return weft::sleep(1ms); }, [] { return weft::sleep(2ms); }));
  });
}

}  // namespace
