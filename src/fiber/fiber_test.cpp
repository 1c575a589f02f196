// SPDX-License-Identifier: Apache-2.0
#include "fiber/fiber.hpp"

#include <gtest/gtest.h>

#include "support/test_runner.hpp"

#include <memory>
#include <set>
#include <stdexcept>
#include <string>

namespace weft {
namespace {

using namespace std::string_literals;
using test::drop_handle;
using test::make_fiber;
using test::spawn;
using test::TestHome;
using test::TestRunner;

TEST(Fiber, RunsToItsEndAndReturns) {
  TestHome home;
  TestRunner runner(home);
  bool ran = false;
  Fiber& fiber = spawn(home, [&] { ran = true; });
  runner.run_until_idle();
  EXPECT_TRUE(ran);
  EXPECT_TRUE(fiber_done(fiber));
  EXPECT_TRUE(fiber.main_returned);
  drop_handle(fiber);
}

TEST(Fiber, YieldingFibersTakeTurns) {
  TestHome home;
  TestRunner runner(home);
  std::string order;
  const auto body = [&](char name) {
    return [&order, name] {
      for (int i = 0; i < 3; ++i) {
        order += name;
        test::yield();
      }
    };
  };
  Fiber& a = spawn(home, body('a'));
  Fiber& b = spawn(home, body('b'));
  runner.run_until_idle();
  EXPECT_EQ(order, "ababab");
  drop_handle(a);
  drop_handle(b);
}

TEST(Fiber, AnExceptionIsKeptForTheHandle) {
  TestHome home;
  TestRunner runner(home);
  Fiber& fiber = spawn(home, [] { throw std::runtime_error("lost my way"); });
  runner.run_until_idle();
  EXPECT_FALSE(fiber.main_returned);
  const std::exception_ptr exception = take_fiber_exception(fiber);
  ASSERT_NE(exception, nullptr);
  EXPECT_THROW(std::rethrow_exception(exception), std::runtime_error);
  EXPECT_EQ(take_fiber_exception(fiber), nullptr) << "it was received";
  drop_handle(fiber);
}

TEST(Fiber, AClosureThatNeverRanIsDestroyed) {
  TestHome home;
  TestRunner runner(home);
  const auto token = std::make_shared<int>(1);
  Fiber& fiber = make_fiber(home, [token] {});
  EXPECT_EQ(token.use_count(), 2);
  drop_handle(fiber);
  drop_handle(fiber);  // its run's reference
  EXPECT_EQ(token.use_count(), 1);
}

TEST(Fiber, AStackIsUsedAgainByTheNextFiber) {
  TestHome home;
  TestRunner runner(home);
  Fiber& first = spawn(home, [] {});
  runner.run_until_idle();
  drop_handle(first);
  Fiber& second = spawn(home, [] {});
  EXPECT_EQ(&first, &second) << "last in, first out: its page is warm";
  runner.run_until_idle();
  drop_handle(second);
}

TEST(Fiber, IdsAreUnique) {
  TestHome home;
  TestRunner runner(home);
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 3000; ++i) {
    Fiber& fiber = spawn(home, [] {});
    EXPECT_TRUE(ids.insert(fiber.id).second);
    runner.run_until_idle();
    drop_handle(fiber);
  }
}

}  // namespace
}  // namespace weft
