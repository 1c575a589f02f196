// SPDX-License-Identifier: Apache-2.0
// What dumps say about waits for what fibers share (docs/design/dump.md).
#include "support/contexts.hpp"

#include <weft/broadcast_channel.hpp>
#include <weft/channel.hpp>
#include <weft/dump.hpp>
#include <weft/latch.hpp>
#include <weft/mutex.hpp>
#include <weft/rate_limiter.hpp>
#include <weft/select.hpp>
#include <weft/semaphore.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>
#include <weft/ticker.hpp>
#include <weft/watch_channel.hpp>

#include <chrono>
#include <mutex>
#include <string>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::HasSubstr;

/// In a context of one thread: until all that have been spawned wait.
void let_them_wait() {
  for (int i = 0; i < 10; ++i) yield();
}

/// Runs `body` as a fiber of a context of one thread.
template <class Body>
void run_in_context(Body body) {
  ConcurrentContext context("archive");
  context.spawn(body, {.name = "looker"}).join_uncancellable();
}

#if WEFT_CHECK_LOCKS
std::string fiber_number(std::uint64_t id) { return '#' + std::to_string(id); }

TEST(SyncDumpTest, FibersThatWaitForEachOthersMutexAreNamedAsADeadlockWithTheOwners) {
  run_in_context([] {
    Mutex left, right;
    const auto lock_both = [](Mutex& mine, Mutex& theirs) {
      const std::scoped_lock lock(mine);
      yield();
      if (theirs.lock_until(Deadline::never())) theirs.unlock();
    };
    auto first = spawn([&] { lock_both(left, right); });
    auto second = spawn([&] { lock_both(right, left); });
    let_them_wait();
    const std::string text = dump_to_string();
    const std::string a = fiber_number(first.id()), b = fiber_number(second.id());
    EXPECT_THAT(text, ContainsRegex("waits for mutex 0x[0-9a-f]+, held by fiber " + a));
    EXPECT_THAT(text, ContainsRegex("waits for mutex 0x[0-9a-f]+, held by fiber " + b));
    EXPECT_THAT(text, HasSubstr("deadlock: " + a + " waits for " + b + " waits for " + a + "\n"));
    first.cancel();
    first.join_uncancellable();
    second.join_uncancellable();
    EXPECT_THAT(dump_to_string(), testing::Not(HasSubstr("deadlock: ")));
  });
}
#endif

TEST(SyncDumpTest, WaitsForBroadcastsChangesPermitsAndTicksAreNamed) {
  run_in_context([] {
    BroadcastChannel<int> events(1);
    WatchChannel<int> state(0);
    RateLimiter limiter(0.001, 1);
    Ticker ticker(1h);
    auto idle = events.subscribe();
    events.send(0).value();
    auto subscriber = events.subscribe();
    auto receiver = state.subscribe();
    EXPECT_TRUE(limiter.try_acquire());
    TaskGroup<void> group;
    group.spawn([&] { return Result<void>(subscriber.receive().error()); });
    group.spawn([&] { return events.send(1); });
    group.spawn([&] { return Result<void>(receiver.changed().error()); });
    group.spawn([&] { return limiter.acquire(); });
    group.spawn([&] { select(tick(ticker, [] {}), changed(receiver, [](auto) {})); });
    let_them_wait();
    const std::string text = dump_to_string();
    for (const char* const what :
         {"waits for a value from broadcast channel 0x", "waits for room in broadcast channel 0x",
          "waits for a change of watch channel 0x", "waits for permits of rate limiter 0x",
          "the next tick of ticker 0x"})
      EXPECT_THAT(text, HasSubstr(what));
    group.cancel();
    group.discard();
  });
}

TEST(SyncDumpTest, AReceiverWithoutASenderIsListedWithItsChannelAndItsBacktrace) {
  run_in_context([] {
    Channel<int> channel(0);
    auto receiver = spawn([&] { return channel.receive().has_value(); }, {.name = "receiver"});
    let_them_wait();
    EXPECT_THAT(dump_to_string(),
                ContainsRegex("\"receiver\" .*sync_dump_test.cpp:[0-9]+. suspended in context \"archive\"\n"
                              "weft:   waits for a value from channel 0x[0-9a-f]+\nweft:     "));
    channel.close();
    EXPECT_FALSE(receiver.join_uncancellable());
  });
}

TEST(SyncDumpTest, ASelectIsListedWithEachOfItsBranches) {
  run_in_context([] {
    Channel<int> in(0), out(0);
    auto chooser = spawn(
        [&] { return select(receive(in, [](Result<int>) {}), send(out, 1, [](Result<void>) {})).index(); });
    let_them_wait();
    EXPECT_THAT(dump_to_string(), ContainsRegex("waits for one of: .*channel 0x[0-9a-f]+; .*channel 0x"));
    in.close();
    out.close();
    chooser.join_uncancellable();
  });
}

// A fiber whose handle was given up and whom nobody will wake: it is found by its name, and by what it
// waits for.
TEST(SyncDumpTest, AForgottenFiberIsListedWithWhatItWaitsFor) {
  run_in_context([] {
    Semaphore permits(0);
    Latch end(1);
    spawn(
        [&] {
          permits.acquire_uncancellable();
          end.count_down();
        },
        {.name = "forgotten"})
        .detach();
    let_them_wait();
    EXPECT_THAT(dump_to_string(),
                ContainsRegex("\"forgotten\" .*suspended.*\nweft:   waits for a permit of semaphore 0x"));
    permits.release();
    end.wait_uncancellable();
  });
}

}  // namespace
}  // namespace weft
