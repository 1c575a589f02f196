// SPDX-License-Identifier: Apache-2.0
// What join() gives, for each kind of thing that a fiber returns. JoinHandle<std::error_code>::join_until()
// did not compile once, and a returned Errc was taken for the join's own error.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::JoinHandle;
using weft::Result;

template <class T>
using JoinOf = decltype(std::declval<JoinHandle<T>&>().join());
static_assert(std::is_same_v<JoinOf<int>, Result<int>>);
static_assert(std::is_same_v<JoinOf<bool>, Result<bool>>);
static_assert(std::is_same_v<JoinOf<void>, Result<void>>);
static_assert(std::is_same_v<JoinOf<Result<int>>, Result<int>>);
static_assert(std::is_same_v<JoinOf<Result<void>>, Result<void>>);
static_assert(std::is_same_v<JoinOf<std::error_code>, Result<void>>);
static_assert(std::is_same_v<JoinOf<Errc>, Result<void>>);
static_assert(std::is_same_v<JoinOf<std::unique_ptr<int>>, Result<std::unique_ptr<int>>>);
static_assert(std::is_same_v<decltype(std::declval<JoinHandle<std::error_code>&>().join_uncancellable()),
                             std::error_code>);

TEST(Join, GivesWhatTheFiberReturned) {
  stranger::in_fiber([] {
    EXPECT_EQ(weft::spawn([] { return 42; }).join().value(), 42);
    EXPECT_EQ(weft::spawn([] { return false; }).join().value(), false);
    EXPECT_EQ(weft::spawn([] { return std::string(1000, 'x'); }).join().value(), std::string(1000, 'x'));
    EXPECT_EQ(*weft::spawn([] { return std::make_unique<int>(7); }).join().value(), 7);
    EXPECT_TRUE(weft::spawn([] {}).join());
    EXPECT_EQ(weft::spawn([] { return std::vector{1, 2}; }).join().value(), (std::vector{1, 2}));
  });
}

TEST(Join, AResultThatIsReturnedIsTheResult) {
  stranger::in_fiber([] {
    EXPECT_EQ(weft::spawn([]() -> Result<int> { return 3; }).join().value(), 3);
    EXPECT_EQ(weft::spawn([]() -> Result<int> { return Errc::closed; }).join().error(), Errc::closed);
    EXPECT_TRUE(weft::spawn([]() -> Result<void> { return {}; }).join());
    EXPECT_EQ(weft::spawn([]() -> Result<void> { return Errc::unsupported; }).join().error(),
              Errc::unsupported);
    Result<int> as_it_is = weft::spawn([]() -> Result<int> { return 3; }).join_uncancellable();
    EXPECT_EQ(as_it_is.value(), 3);
  });
}

TEST(Join, AnErrorCodeThatIsReturnedSaysHowItWent) {
  stranger::in_fiber([] {
    auto good = weft::spawn([] { return std::error_code(); });
    EXPECT_TRUE(good.join_until(Deadline::after(1h)));
    auto bad = weft::spawn([] { return std::make_error_code(std::errc::io_error); });
    EXPECT_EQ(bad.join_until(Deadline::after(1h)).error(), std::errc::io_error);
    EXPECT_EQ(weft::spawn([] { return Errc::malformed_message; }).join().error(), Errc::malformed_message);
    EXPECT_TRUE(weft::spawn([] { return Errc(); }).join());
    EXPECT_EQ(weft::spawn([] { return std::make_error_code(std::errc::io_error); }).join_uncancellable(),
              std::errc::io_error);
  });
}

TEST(Join, WhoseErrorItIsTheHandleSays) {
  stranger::in_fiber([] {
    weft::Latch gate(1);
    auto fiber = weft::spawn([&]() -> Result<int> {
      gate.wait_uncancellable();
      return Errc::timed_out;
    });
    EXPECT_EQ(fiber.join_until(Deadline::after(1ms)).error(), Errc::timed_out);
    EXPECT_TRUE(fiber.joinable()) << "the join's own";
    gate.count_down();
    EXPECT_EQ(fiber.join().error(), Errc::timed_out);
    EXPECT_FALSE(fiber.joinable()) << "the fiber's";
  });
}

TEST(Join, ThrowsWhatEscaped) {
  stranger::in_fiber([] {
    auto fiber = weft::spawn([]() -> int { throw std::runtime_error("oh"); });
    EXPECT_THROW((void)fiber.join(), std::runtime_error);
    EXPECT_FALSE(fiber.joinable());
    auto other = weft::spawn([] { throw 42; });
    EXPECT_THROW(other.join_uncancellable(), int);
    auto third = weft::spawn([]() -> Result<void> { throw std::runtime_error("oh"); });
    EXPECT_THROW((void)third.join_until(Deadline::after(1h)), std::runtime_error);
  });
}

TEST(Join, OfAFiberThatHasEndedSucceedsInACancelledOne) {
  stranger::in_fiber([] {
    auto fiber = weft::spawn([] { return 5; });
    weft::yield();
    ASSERT_TRUE(fiber.done());
    weft::CancelScope scope;
    scope.cancel();
    EXPECT_EQ(fiber.join().value(), 5);
  });
}

TEST(Join, OfACancelledFiberGivesWhatItMadeOfThat) {
  stranger::in_fiber([] {
    auto fiber = weft::spawn([] { return weft::sleep(1h); });
    weft::yield();
    fiber.cancel();
    EXPECT_EQ(fiber.join().error(), Errc::cancelled);
    EXPECT_FALSE(fiber.joinable());
  });
}

TEST(Join, OnAPlainThreadBlocks) {
  stranger::in_fiber([] {
    weft::Latch gate(1);
    auto fiber = weft::spawn([&] {
      gate.wait_uncancellable();
      return 9;
    });
    weft::Latch joined(1);
    Result<int> result = Errc::closed;
    std::thread thread([&] {
      EXPECT_EQ(fiber.join_until(Deadline::after(1ms)).error(), Errc::timed_out);
      gate.count_down();
      result = fiber.join();
      joined.count_down();
    });
    EXPECT_TRUE(joined.wait());
    thread.join();
    EXPECT_EQ(result.value(), 9);
  });
}

TEST(Join, AGroupTakesAnErrorCodeForAFailureToo) {
  stranger::in_fiber([] {
    weft::TaskGroup<void> group;
    group.spawn([] { return weft::sleep(1h).error(); });
    group.spawn([] { return std::make_error_code(std::errc::io_error); });
    EXPECT_EQ(group.wait().error(), std::errc::io_error);
    EXPECT_EQ(weft::race([] { return std::make_error_code(std::errc::io_error); },
                         [] { return weft::sleep(1h).error(); })
                  .error(),
              std::errc::io_error);
    const auto both = weft::all([] { return std::error_code(); }, [] { return 1; });
    EXPECT_EQ(std::get<1>(both.value()), 1);
    EXPECT_EQ(weft::all([] { return Errc::closed; }, [] { return 1; }).error(), Errc::closed);
  });
}

}  // namespace
