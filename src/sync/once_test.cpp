// SPDX-License-Identifier: Apache-2.0
#include <weft/once.hpp>

#include "base/atomic.hpp"
#include "fiber/baton.hpp"
#include "support/sleeper.hpp"

#include <weft/this_fiber.hpp>

#include <stdexcept>
#include <thread>
#include <vector>
#include <gtest/gtest.h>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::spawn_suspended;

class OnceTest : public test::WaitingInEveryContext {};
WEFT_UNDER_EVERY_CONTEXT(OnceTest);

TEST_P(OnceTest, CallsTheFunctionOnceAndAllSeeWhatItDid) {
  Once once;
  int value = 0;
  int calls = 0;
  const auto initialize = [&](int wanted) {
    ++calls;
    if (this_fiber::exists()) yield();
    value = wanted;
  };
  std::vector<JoinHandle<void>> fibers;
  std::thread thread([&] {
    call_once(once, initialize, 42);
    EXPECT_EQ(value, 42);
  });
  for (int i = 0; i < 10; ++i) {
    fibers.push_back(context().spawn([&] {
      call_once(once, initialize, 42);
      EXPECT_TRUE(once.done());
      EXPECT_EQ(value, 42);
    }));
  }
  for (auto& fiber : fibers) fiber.join_uncancellable();
  thread.join();
  EXPECT_EQ(calls, 1);
}

TEST_P(OnceTest, AnExceptionGoesToTheCallerAndTheNextOneTries) {
  run([&] {
    Once once;
    Baton go;
    int calls = 0;
    auto first = spawn_suspended(context(), [&] {
      EXPECT_THROW(call_once(once,
                             [&] {
                               ++calls;
                               go.take();
                               throw std::runtime_error("not today");
                             }),
                   std::runtime_error);
    });
    auto second = spawn_suspended(context(), [&] { call_once(once, [&] { ++calls; }); });
    EXPECT_FALSE(once.done());
    go.give();
    first.join_uncancellable();
    second.join_uncancellable();
    EXPECT_TRUE(once.done());
    EXPECT_EQ(calls, 2);
    call_once(once, [&] { ++calls; });
    EXPECT_EQ(calls, 2);
  });
}

TEST_P(OnceTest, TheWaitForAnothersCallCanBeGivenUp) {
  run([&] {
    Once once;
    Baton go;
    const auto never_called = [] { ADD_FAILURE(); };
    auto first = spawn_suspended(context(), [&] { call_once(once, [&] { go.take(); }); });
    EXPECT_EQ(call_once_until(once, Deadline::after(1ms), never_called).error(), Errc::timed_out);
    auto cancelled =
        spawn_suspended(context(), [&] { return call_once_until(once, Deadline::never(), never_called); });
    cancelled.cancel();
    EXPECT_EQ(cancelled.join_uncancellable().error(), Errc::cancelled);
    go.give();
    first.join_uncancellable();
    EXPECT_TRUE(call_once_until(once, Deadline::after(-1s), never_called));
  });
}

TEST_P(OnceTest, CallOnceUntilCallsToo) {
  run([] {
    Once once;
    int value = 0;
    EXPECT_TRUE(call_once_until(
        once, Deadline::never(), [&](int wanted) { value = wanted; }, 7));
    EXPECT_EQ(value, 7);
    EXPECT_TRUE(once.done());
  });
}

#if WEFT_CHECK_LOCKS
TEST(OnceDeathTest, AFunctionThatCallsOnceWithItsOwnFlagIsReported) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto recursive = [] {
    Once once;
    call_once(once, [&] { call_once(once, [] {}); });
  };
  EXPECT_DEATH(recursive(), "BUG: self-deadlock");
}
#endif

}  // namespace
}  // namespace weft
