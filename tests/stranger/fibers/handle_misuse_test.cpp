// SPDX-License-Identifier: Apache-2.0
// A join handle is one fiber's at a time. Two that waited in its join() were both woken, the first took the
// result, and the second crashed. Each misuse has one message, which says what was done.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <utility>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::JoinHandle;

/// A fiber that ends when it is told to, and what another fiber does with its handle until then.
struct Awaited {
  weft::Latch gate{1};
  JoinHandle<int> handle = weft::spawn([this] {
    gate.wait_uncancellable();
    return 7;
  });
};

void wait_by_join(Awaited& awaited) { (void)awaited.handle.join(); }
void wait_by_join_until(Awaited& awaited) { (void)awaited.handle.join_until(Deadline::after(1h)); }
void wait_uncancellable(Awaited& awaited) { (void)awaited.handle.join_uncancellable(); }
void wait_by_select(Awaited& awaited) {
  weft::select(weft::join(awaited.handle, [](int) {}), weft::after(1h, [] {}));
}
constexpr auto kWaits = {wait_by_join, wait_by_join_until, wait_uncancellable, wait_by_select};

/// `misuse` while another fiber waits by `wait`, and then the fiber's end.
void beside(void (*wait)(Awaited&), const std::function<void(Awaited&)>& misuse) {
  stranger::in_fiber([&] {
    Awaited awaited;
    auto waits = weft::spawn([&] { wait(awaited); });
    weft::yield();
    misuse(awaited);
    awaited.gate.count_down();
    waits.join_uncancellable();
  });
}

TEST(HandleMisuseDeathTest, TwoFibersThatJoinAtOnceAreABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const auto first : kWaits) {
    for (const auto second : kWaits)
      EXPECT_DEATH(beside(first, second), "BUG: two fibers join one handle at once");
  }
}

TEST(HandleMisuseDeathTest, AHandleThatIsTakenAwayFromAJoinIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const auto wait : kWaits) {
    EXPECT_DEATH(beside(wait, [](Awaited& awaited) { awaited.handle.detach(); }),
                 "BUG: a join handle was joined, detached or moved while ");
  }
}

TEST(HandleMisuseDeathTest, AHandleThatIsMovedToAnotherJoinIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(beside(wait_by_join,
                      [](Awaited& awaited) {
                        JoinHandle<int> moved = std::move(awaited.handle);
                        (void)moved.join();
                      }),
               "BUG: two fibers join one handle at once");
}

TEST(HandleMisuse, WhoHasGivenUpLeavesTheHandleToOthers) {
  stranger::in_fiber([] {
    Awaited awaited;
    for (int i = 0; i < 3; ++i) {
      auto gives_up = weft::spawn([&] { return awaited.handle.join_until(Deadline::after(1ms)).error(); });
      EXPECT_EQ(gives_up.join_uncancellable(), Errc::timed_out);
    }
    auto cancelled = weft::spawn([&] { return awaited.handle.join().error(); });
    weft::yield();
    cancelled.cancel();  // it is not back yet
    auto ends = weft::spawn([&] { awaited.gate.count_down(); });
    EXPECT_EQ(awaited.handle.join().value(), 7);
    EXPECT_EQ(cancelled.join_uncancellable(), Errc::cancelled);
    ends.join_uncancellable();
  });
}

TEST(HandleMisuse, OneSelectMayNameAHandleTwice) {
  stranger::in_fiber([] {
    Awaited awaited;
    auto ends = weft::spawn([&] {
      weft::yield();
      awaited.gate.count_down();
    });
    int got = 0;
    weft::select(weft::join(awaited.handle, [&](int value) { got += value; }),
                 weft::join(awaited.handle, [&](int value) { got += value; }));
    EXPECT_EQ(got, 7);
    EXPECT_FALSE(awaited.handle.joinable());
    ends.join_uncancellable();
  });
}

}  // namespace
