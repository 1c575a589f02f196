// SPDX-License-Identifier: Apache-2.0
// with_timeout() as include/weft/with_timeout.hpp describes it. A function that returns nothing was once
// reported as timed out when it had completed, because the clock said so.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;
using weft::Errc;
using weft::Result;

TEST(WithTimeout, ThePermitOfAnAcquireThatTimedOutIsNotKept) {
  stranger::in_fiber([] {
    weft::Semaphore semaphore(0);
    EXPECT_EQ(weft::with_timeout(1ms, [&] { return semaphore.acquire(); }).error(), Errc::timed_out);
    EXPECT_EQ(weft::with_timeout(1ms, [&] { (void)semaphore.acquire(); }).error(), Errc::timed_out);
    semaphore.release();
    EXPECT_EQ(semaphore.available(), 1u);
    EXPECT_TRUE(semaphore.try_acquire());
  });
}

TEST(WithTimeout, AJoinInItIsStoppedAndMayBeRepeated) {
  stranger::in_fiber([] {
    weft::Latch gate(1);
    auto fiber = weft::spawn([&] { return gate.wait().has_value() ? 7 : 0; });
    EXPECT_EQ(weft::with_timeout(1ms, [&] { return fiber.join(); }).error(), Errc::timed_out);
    EXPECT_EQ(weft::with_timeout(1ms, [&] { (void)fiber.join(); }).error(), Errc::timed_out);
    ASSERT_TRUE(fiber.joinable());
    gate.count_down();
    EXPECT_EQ(weft::with_timeout(1h, [&] { return fiber.join(); }).value(), 7);
  });
}

TEST(WithTimeout, GivesWhatIsReturned) {
  stranger::in_fiber([] {
    EXPECT_EQ(weft::with_timeout(1h, [] { return 5; }).value(), 5);
    EXPECT_EQ(weft::with_timeout(1h, []() -> Result<std::string> { return std::string("x"); }).value(), "x");
    EXPECT_EQ(*weft::with_timeout(1h, [] { return std::make_unique<int>(3); }).value(), 3);
    EXPECT_EQ(weft::with_timeout(1h, []() -> Result<int> { return Errc::closed; }).error(), Errc::closed);
    EXPECT_THROW((void)weft::with_timeout(1h, [] { throw std::runtime_error("oh"); }), std::runtime_error);
  });
}

TEST(WithTimeout, AnErrorCodeThatIsReturnedSaysHowItWent) {
  static_assert(
      std::is_same_v<decltype(weft::with_timeout(1s, [] { return std::error_code(); })), Result<void>>);
  stranger::in_fiber([] {
    EXPECT_TRUE(weft::with_timeout(1h, [] { return std::error_code(); }));
    EXPECT_EQ(weft::with_timeout(1ms, [] { return weft::sleep(1h).error(); }).error(), Errc::timed_out);
    EXPECT_EQ(weft::with_timeout(1h, [] { return Errc::closed; }).error(), Errc::closed);
  });
}

TEST(WithTimeout, WhatReturnsNothingAndCompletesIsASuccess) {
  stranger::in_fiber([] {
    EXPECT_TRUE(weft::with_timeout(1h, [] {}));
    EXPECT_TRUE(weft::with_timeout(-1h, [] {})) << "it had not to wait";
    EXPECT_TRUE(weft::with_timeout(1h, [] { EXPECT_TRUE(weft::sleep(1ms)); }));
    const Deadline soon = Deadline::after(1ms);
    EXPECT_TRUE(weft::with_deadline(soon, [&] {
      while (!soon.passed()) {}
    })) << "it took longer, and nothing in it was stopped";
    EXPECT_TRUE(weft::with_deadline(soon, [&] { (void)weft::sleep_until(soon); })) << "it has slept";
  });
}

TEST(WithTimeout, WhatReturnsNothingAndIsNotCancellableCompletes) {
  stranger::in_fiber([] {
    weft::Semaphore semaphore(0);
    auto releaser = weft::spawn([&] {
      for (int i = 0; i < 3; ++i) weft::yield();
      semaphore.release();
    });
    EXPECT_TRUE(weft::with_timeout(-1ms, [&] { semaphore.acquire_uncancellable(); }));
    EXPECT_EQ(semaphore.available(), 0u);
    releaser.join_uncancellable();
  });
}

TEST(WithTimeout, WhatReturnsNothingAndWasStoppedIsAFailure) {
  stranger::in_fiber([] {
    EXPECT_EQ(weft::with_timeout(1ms, [] { (void)weft::sleep(1h); }).error(), Errc::timed_out);
    EXPECT_EQ(weft::with_timeout(-1ms, [] { (void)weft::sleep(1h); }).error(), Errc::timed_out);
    weft::Channel<int> channel;
    EXPECT_EQ(weft::with_timeout(1ms, [&] { (void)channel.receive(); }).error(), Errc::timed_out);
    EXPECT_EQ(weft::with_timeout(1ms,
                                 [&] {
                                   while (channel.receive()) {}
                                   (void)weft::sleep(0s);
                                 })
                  .error(),
              Errc::timed_out);
    EXPECT_EQ(weft::with_timeout(-1ms, [] { EXPECT_TRUE(weft::this_fiber::cancel_requested()); }).error(),
              Errc::timed_out);
  });
}

TEST(WithTimeout, ACallsOwnDeadlineIsNotThatOfTheScope) {
  stranger::in_fiber([] {
    weft::Semaphore semaphore(0);
    EXPECT_TRUE(weft::with_timeout(
        1h, [&] { EXPECT_EQ(semaphore.acquire_until(Deadline::after(1ms)).error(), Errc::timed_out); }));
    EXPECT_TRUE(weft::with_timeout(1h, [&] {
      EXPECT_EQ(weft::with_timeout(1ms, [] { (void)weft::sleep(1h); }).error(), Errc::timed_out);
    })) << "an inner limit is not the outer one";
  });
}

TEST(WithTimeout, ALimitFurtherOutIsSeenThroughScopesFurtherIn) {
  stranger::in_fiber([] {
    Result<void> inner;
    const auto outer = weft::with_timeout(1ms, [&] {
      inner = weft::with_timeout(1h, [] {
        weft::CancelScope scope;
        (void)weft::sleep(1h);
      });
    });
    EXPECT_EQ(inner.error(), Errc::timed_out);
    EXPECT_EQ(outer.error(), Errc::timed_out);
    EXPECT_TRUE(weft::with_timeout(-1ms, [] {
      weft::CancelShield shield;
      EXPECT_TRUE(weft::sleep(1ms));
    })) << "a shield is not stopped";
  });
}

TEST(WithTimeout, ACancelledFiberIsToldCancelled) {
  stranger::in_fiber([] {
    auto fiber = weft::spawn([] { return weft::with_timeout(1h, [] { (void)weft::sleep(1h); }); });
    weft::yield();
    fiber.cancel();
    EXPECT_EQ(fiber.join().error(), Errc::cancelled);
    auto busy = weft::spawn([] { return weft::with_timeout(1h, [] {}); });
    busy.cancel();
    EXPECT_TRUE(busy.join()) << "it completed";
  });
}

TEST(WithTimeout, IsForPlainThreadsToo) {
  weft::Semaphore semaphore(0);
  EXPECT_EQ(weft::with_timeout(1ms, [&] { (void)semaphore.acquire(); }).error(), Errc::timed_out);
  semaphore.release();
  EXPECT_TRUE(weft::with_timeout(1ms, [&] { (void)semaphore.acquire(); }));
  EXPECT_EQ(semaphore.available(), 0u);
}

TEST(WithTimeout, AGroupInItLeavesNoChildBehind) {
  stranger::in_fiber([] {
    int ended = 0;
    const auto waited = weft::with_timeout(1ms, [&] {
      weft::TaskGroup<void> group;
      for (int i = 0; i < 3; ++i) {
        group.spawn([&] {
          (void)weft::sleep(1h);
          ++ended;
        });
      }
      return group.wait();
    });
    EXPECT_EQ(waited.error(), Errc::timed_out);
    EXPECT_EQ(ended, 3);
  });
}

}  // namespace
