// SPDX-License-Identifier: Apache-2.0
#include <weft/blocking.hpp>

#include "support/held_call.hpp"
#include "support/sleeper.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/scoped_value.hpp>
#include <weft/this_fiber.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace weft {
namespace {

using namespace std::chrono_literals;
using Gate = test::CallGate;
using test::HeldCall;

class BlockingPoolTest : public test::BlockingPoolTestBase {};
INSTANTIATE_TEST_SUITE_P(Contexts, BlockingPoolTest, test::all_placements(), test::kind_name);

TEST_P(BlockingPoolTest, TheValueComesBackFromAnotherThread) {
  run([] {
    BlockingPool pool("values");
    std::thread::id other;
    const Result<int> seven = pool.run([&] { return other = std::this_thread::get_id(), 7; });
    EXPECT_EQ(seven.value(), 7);
    EXPECT_NE(other, std::this_thread::get_id());
    EXPECT_NE(other, std::thread::id());
  });
}

TEST_P(BlockingPoolTest, ALocalOfTheCallerIsUsedAndMoveOnlyResultsAreMoved) {
  run([] {
    BlockingPool pool("values");
    std::string text = "a";
    const Result<std::unique_ptr<int>> made = pool.run([&, kept = std::make_unique<int>(3)]() mutable {
      text += "b";
      return std::move(kept);
    });
    EXPECT_EQ(**made, 3);
    EXPECT_EQ(text, "ab");
  });
}

TEST_P(BlockingPoolTest, AnErrorOfTheCallIsTheResultsAndNothingIsNested) {
  run([] {
    BlockingPool pool("values");
    const Result<int> failed = pool.run([]() -> Result<int> { return Errc::end_of_file; });
    EXPECT_EQ(failed.error(), Errc::end_of_file);
    const Result<void> code = pool.run([] { return std::make_error_code(std::errc::io_error); });
    EXPECT_EQ(code.error(), std::errc::io_error);
    const Result<void> nothing = pool.run([] {});
    EXPECT_TRUE(nothing);
  });
}

TEST_P(BlockingPoolTest, AnExceptionIsThrownAtTheCaller) {
  run([] {
    BlockingPool pool("values");
    EXPECT_THROW(static_cast<void>(pool.run([]() -> int { throw std::runtime_error("no"); })),
                 std::runtime_error);
    EXPECT_EQ(pool.run([] { return 5; }).value(), 5);  // the thread goes on
  });
}

TEST_P(BlockingPoolTest, AScopeThatHasEndedLetsNothingStart) {
  run([] {
    BlockingPool pool("scope");
    bool called = false;
    CancelScope scope;
    scope.cancel();
    EXPECT_EQ(pool.run([&] { called = true; }).error(), Errc::cancelled);
    EXPECT_FALSE(called);
  });
}

TEST_P(BlockingPoolTest, ACallInheritsTheScopeOfItsCaller) {
  if (simulated()) GTEST_SKIP() << "nobody could end the scope meanwhile";
  BlockingPool pool("scope");
  Gate entered;
  CancelScope* scope = nullptr;
  Result<void> slept;
  bool ended = false;
  auto fiber = context.spawn([&] {
    CancelScope own;
    scope = &own;
    return pool.run([&] {
      entered.open();
      slept = sleep_until(Deadline::never());
      CancelScope within;
      ended = !within.status();
      return 3;
    });
  });
  entered.wait();
  scope->cancel();
  EXPECT_EQ(fiber.join_uncancellable().value(), 3);
  EXPECT_EQ(slept.error(), Errc::cancelled);
  EXPECT_TRUE(ended);
}

TEST_P(BlockingPoolTest, ACallSeesTheScopedValuesOfItsCaller) {
  run([] {
    BlockingPool pool("bindings", {.threads_max = 1});
    const ScopedValue<int> key;
    {
      const ScopedBinding bound(key, 4);
      const Result<int> sum = pool.run([&] {
        const ScopedBinding inner(key, *key.get() + 1);
        return *key.get();
      });
      EXPECT_EQ(sum.value(), 5);
    }
    EXPECT_TRUE(pool.run([&] { return key.get() == nullptr; }).value());
  });
}

TEST_P(BlockingPoolTest, APlainThreadWaitsToo) {
  BlockingPool pool("plain");
  const std::thread::id self = std::this_thread::get_id();
  EXPECT_TRUE(pool.run([&] { return std::this_thread::get_id() != self; }).value());
  EXPECT_THROW(static_cast<void>(pool.run([]() -> int { throw 1; })), int);
}

TEST_P(BlockingPoolTest, APlainThreadTimesOutBeforeTheStartOnly) {
  BlockingPool pool("plain", {.threads_max = 1});
  Gate entered, leave;
  std::thread holder([&] {
    // Its deadline passes while the call runs: the wait was taken over. (Or before, on a busy machine.)
    Result<int> value = Errc::timed_out;
    while (!value) {
      value = pool.run_until(50ms, [&] {
        entered.open();
        leave.wait();
        return 1;
      });
    }
    EXPECT_EQ(*value, 1);
  });
  entered.wait();
  EXPECT_EQ(pool.run_until(100ms, [] { return 2; }).error(), Errc::timed_out);
  leave.open();
  holder.join();
}

TEST_P(BlockingPoolTest, ACallWithinACallOfTheSamePoolIsMadeAtOnce) {
  run([] {
    BlockingPool pool("nested", {.threads_max = 1});
    const Result<bool> same = pool.run([&] {
      const std::thread::id outer = std::this_thread::get_id();
      return pool.run([&] { return outer == std::this_thread::get_id(); }).value();
    });
    EXPECT_TRUE(same.value());
  });
}

}  // namespace
}  // namespace weft
