// SPDX-License-Identifier: Apache-2.0
// HZ2: what the ABI calls callee-saved belongs to the fiber; the stack is as the ABI wants
// it.
#include "hazards/hop.hpp"

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <unwind.h>

namespace weft {
namespace {

using test::drop_handle;
using test::Hops;
using test::spawn;
using test::TestHome;
using test::TestRunner;

// Volatile: the compiler must not compute with the rounding mode that it assumes.
double divide(double a, double b) {
  volatile double x = a;
  volatile double y = b;
  volatile double z = x / y;
  return z;
}

long double divide_x87(long double a, long double b) {
  volatile long double x = a;
  volatile long double y = b;
  volatile long double z = x / y;
  return z;
}

TEST(MachineState, HZ2_EachFiberHasItsRoundingMode) {
  TestHome home;
  TestRunner runner(home);
  const double nearest = divide(1, 3);
  std::array<double, 2> sse{};
  std::array<long double, 2> x87{};
  const auto body = [&](int mode, std::size_t index) {
    return [&, mode, index] {
      std::fesetround(mode);
      for (int i = 0; i < 3; ++i) {
        test::yield();
        EXPECT_EQ(std::fegetround(), mode);
        sse[index] = divide(1, 3);
        x87[index] = divide_x87(1, 3);
      }
    };
  };
  Fiber& up = spawn(home, body(FE_UPWARD, 0));
  Fiber& down = spawn(home, body(FE_DOWNWARD, 1));
  runner.run_until_idle();
  EXPECT_GT(sse[0], sse[1]) << "MXCSR";
  EXPECT_GT(x87[0], x87[1]) << "x87 control word";
  EXPECT_EQ(std::fegetround(), FE_TONEAREST) << "the thread's own mode is untouched";
  EXPECT_EQ(divide(1, 3), nearest);
  drop_handle(up);
  drop_handle(down);
}

TEST(MachineState, HZ2_TheRoundingModeGoesWithTheFiberToAnotherThread) {
  Hops hops;
  hops.run_fiber([](auto hop) {
    std::fesetround(FE_TOWARDZERO);
    for (int i = 0; i < 10; ++i) {
      hop();
      EXPECT_EQ(std::fegetround(), FE_TOWARDZERO);
    }
  });
}

TEST(MachineState, AFiberStartsWithTheRoundingModeOfWhoCreatesIt) {
  TestHome home;
  TestRunner runner(home);
  std::fesetround(FE_UPWARD);
  Fiber& fiber = spawn(home, [] { EXPECT_EQ(std::fegetround(), FE_UPWARD); });
  std::fesetround(FE_TONEAREST);
  runner.run_until_idle();
  drop_handle(fiber);
}

/// Nothing but its own frame: it keeps its data in the red zone if it can.
[[gnu::noinline]] std::uint64_t mix(std::uint64_t seed) {
  volatile std::uint64_t words[8];
  for (std::uint64_t i = 0; i < 8; ++i) words[i] = seed * (i + 1);
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < 8; ++i) sum += words[i];
  return sum;
}

TEST(MachineState, LocalsInRegistersSurviveSwitches) {
  Hops hops;
  hops.run_fiber([](auto hop) {
    std::uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;
    for (std::uint64_t i = 0; i < 50; ++i) {
      a += i;
      b += a;
      c ^= b;
      d += c;
      e ^= d;
      f += e;
      g ^= f;
      h += g;
      const std::uint64_t before = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
      const std::uint64_t mixed = mix(before);
      hop();
      ASSERT_EQ(a ^ b ^ c ^ d ^ e ^ f ^ g ^ h, before);
      ASSERT_EQ(mix(before), mixed);
    }
  });
}

TEST(MachineState, TheStackIsAlignedAsTheAbiWants) {
  TestHome home;
  TestRunner runner(home);
  for (std::size_t storage = 1; storage < 40; ++storage) {
    Fiber& fiber = *Fiber::create(StackPool::process(), runner.stacks, {.storage_size = storage});
    fiber.home = &home;
    fiber.main = [](void*) {
      alignas(16) volatile float lanes[4] = {1, 2, 3, 4};  // stored with movaps
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(lanes) % 16, 0u);
      char text[64];
      std::snprintf(text, sizeof(text), "%f %Lf", double{lanes[1]}, static_cast<long double>(lanes[2]));
      EXPECT_STREQ(text, "2.000000 3.000000");
    };
    home.enqueue(fiber);
    runner.run_until_idle();
    drop_handle(fiber);
  }
}

TEST(MachineState, TheClosureIsAlignedAsItAsks) {
  struct alignas(512) Wide {
    int value = 7;
  };
  TestHome home;
  TestRunner runner(home);
  const FiberOptions options{.storage_size = sizeof(Wide), .storage_alignment = alignof(Wide)};
  Fiber& fiber = *Fiber::create(StackPool::process(), runner.stacks, options);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(fiber.storage) % 512, 0u);
  EXPECT_LE(fiber.stack_top(), static_cast<std::byte*>(fiber.storage));
  new (fiber.storage) Wide();
  fiber.home = &home;
  fiber.main = [](void* storage) { EXPECT_EQ(static_cast<Wide*>(storage)->value, 7); };
  home.enqueue(fiber);
  runner.run_until_idle();
  drop_handle(fiber);
}

TEST(MachineState, HZ5_TheUnwinderStopsAtTheFibersFirstFrame) {
  TestHome home;
  TestRunner runner(home);
  int frames = 0;
  _Unwind_Reason_Code reason = _URC_NO_REASON;
  Fiber& fiber = spawn(home, [&] {
    reason = _Unwind_Backtrace(
        [](_Unwind_Context*, void* count) {
          return ++*static_cast<int*>(count) > 1000 ? _URC_NORMAL_STOP : _URC_NO_REASON;
        },
        &frames);
  });
  runner.run_until_idle();
  EXPECT_EQ(reason, _URC_END_OF_STACK);
  EXPECT_GE(frames, 2);
  EXPECT_LT(frames, 20);
  drop_handle(fiber);
}

TEST(MachineState, FramePointersEndAtTheFibersFirstFrame) {
  TestHome home;
  TestRunner runner(home);
  bool ended = false;
  Fiber& fiber = spawn(home, [&] {
    struct Frame {
      Frame* caller;
      void* return_address;
    };
    auto* frame = static_cast<Frame*>(__builtin_frame_address(0));
    Fiber& self = *this_fiber_or_null();
    for (int depth = 0; depth < 20 && frame != nullptr; ++depth) {
      const auto* const place = reinterpret_cast<std::byte*>(frame);
      ASSERT_TRUE(place >= self.stack_low() && place < self.stack_top());
      frame = frame->caller;
    }
    ended = frame == nullptr;
  });
  runner.run_until_idle();
  EXPECT_TRUE(ended);
  drop_handle(fiber);
}

}  // namespace
}  // namespace weft
