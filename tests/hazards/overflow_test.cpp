// SPDX-License-Identifier: Apache-2.0
// HZ1: overflow is reported by the fiber's name.
#include "fiber/overflow.hpp"

#include <gtest/gtest.h>

#include "support/test_runner.hpp"

#include <csignal>
#include <cstring>

namespace weft {
namespace {

using test::drop_handle;
using test::spawn;
using test::TestHome;
using test::TestRunner;

// Not a tail call, and each frame is touched.
[[gnu::noinline]] int recurse(int depth) {
  volatile char frame[512];
  frame[0] = static_cast<char>(depth);
  if (depth == 0) return 0;
  return recurse(depth - 1) + frame[0];
}

void overflow_in(FiberOptions options, StackPool& pool) {
  install_overflow_handler();
  enable_alternate_stack();
  TestHome home;
  TestRunner runner(home, pool);
  Fiber& fiber = spawn(
      home, [] { recurse(10'000'000); }, options, pool);
  runner.run_until_idle();
  drop_handle(fiber, pool);
}

TEST(OverflowDeathTest, HZ1_TheReportNamesTheFiberAndWhereItWasSpawned) {
  EXPECT_DEATH(
      overflow_in({.name = "resize images", .spawned_at = {"gallery.cpp", 42}}, StackPool::process()),
      "stack overflow in fiber \"resize images\" \\(128 KiB stack, spawned at gallery.cpp:42\\)");
}

TEST(OverflowDeathTest, TheReportSaysWhatToDo) {
  EXPECT_DEATH(overflow_in({.stack_size = 256 * 1024}, StackPool::process()),
               "fiber #[0-9]+ \\(256 KiB stack.*\n.*pass a larger .stack_size");
}

TEST(OverflowDeathTest, TheProgramDiesByTheSignal) {
  EXPECT_EXIT(overflow_in({}, StackPool::process()), testing::KilledBySignal(SIGSEGV), "stack overflow");
}

TEST(OverflowDeathTest, GuardsByProtectionReportTheSame) {
  StackPool pool({.guard_by_mprotect = true});
  EXPECT_DEATH(overflow_in({.name = "guarded"}, pool), "stack overflow in fiber \"guarded\"");
}

// A frame of code that was compiled without stack checks touches the guard anywhere.
TEST(OverflowDeathTest, HZ1_TheWholeGuardIsRecognised) {
  for (std::size_t below : {std::size_t{1}, sys::page_size() + 1, StackSlab::guard_size()}) {
    const auto touch = [below] {
      install_overflow_handler();
      enable_alternate_stack();
      TestHome home;
      TestRunner runner(home);
      spawn(home,
            [below] {
              volatile std::byte* const low = this_fiber_or_null()->stack_low();
              *(low - below) = std::byte{1};
            },
            {.name = "leaps"});
      runner.run_until_idle();
    };
    EXPECT_DEATH(touch(), "stack overflow in fiber \"leaps\"") << below;
  }
}

TEST(OverflowDeathTest, AFaultElsewhereGoesToTheHandlerThatWasThere) {
  const auto run = [] {
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t*, void*) {
      write_to_stderr({"the program's own handler\n"});
      _exit(7);
    };
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
    install_overflow_handler();
    TestHome home;
    TestRunner runner(home);
    spawn(home, [] { std::raise(SIGSEGV); });
    runner.run_until_idle();
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(7), "the program's own handler");
}

TEST(Overflow, AnyStackSizeIsUsableToItsEnd) {
  TestHome home;
  TestRunner runner(home);
  for (std::size_t size : {std::size_t{16} * 1024, std::size_t{64} * 1024, std::size_t{1} << 20}) {
    Fiber& fiber = spawn(home,
                         [] {
                           Fiber& self = *this_fiber_or_null();
                           const auto here = reinterpret_cast<std::byte*>(__builtin_frame_address(0));
                           const auto left = static_cast<std::size_t>(here - self.stack_low());
                           // All but what memset itself may need.
                           std::memset(self.stack_low(), 0x5a, left - 4096);
                         },
                         {.stack_size = size});
    EXPECT_GE(static_cast<std::size_t>(fiber.stack_top() - fiber.stack_low()), size - 4096);
    runner.run_until_idle();
    EXPECT_TRUE(fiber.main_returned);
    drop_handle(fiber);
  }
}

TEST(Overflow, AStackThatIsTooLargeToMapIsRefused) {
  EXPECT_EQ(Fiber::create(StackPool::process(), nullptr, {.stack_size = std::size_t{1} << 40}), nullptr);
}

}  // namespace
}  // namespace weft
