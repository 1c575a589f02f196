// SPDX-License-Identifier: Apache-2.0
// Before Linux 6.13 the kernel has guards for some 32,000 stacks; then spawning threw a bare
// "std::bad_alloc".
#include "sys/fault.hpp"

#include <weft/memory.hpp>
#include <weft/run.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <string>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

// Sizes that no other test uses: of those there are free stacks, with guards.
constexpr std::size_t kSize = std::size_t{64} << 20;
constexpr std::size_t kSmallSize = std::size_t{32} << 20;

/// An old kernel, at the end of its mappings.
class NoGuards {
 public:
  NoGuards() {
    faults_.fail(sys::Call::madvise, EINVAL, {.times = sys::FaultRange::kAlways});
    faults_.fail(sys::Call::mprotect, ENOMEM, {.times = sys::FaultRange::kAlways});
  }
  ~NoGuards() { set_stack_guards(StackGuards::kRequired); }

 private:
  sys::FaultPlan faults_;
};

[[gnu::noinline]] void touch(std::size_t size) {
  volatile char* const bytes = static_cast<volatile char*>(__builtin_alloca(size));
  for (std::size_t i = 0; i < size; i += 1024) bytes[size - 1 - i] = 1;
}

TEST(GuardShortage, TheErrorNamesTheLimit) {
  run([] {
    const NoGuards no_guards;
    std::string text;
    try {
      spawn([] {}, {.stack_size = kSize}).detach();
    } catch (const std::bad_alloc& error) {
      text = error.what();
    }
    EXPECT_THAT(text, testing::HasSubstr("vm.max_map_count ("));
    EXPECT_THAT(text, testing::HasSubstr("set_stack_guards"));
  });
}

TEST(GuardShortage, FibersRunWithoutGuardsIfTheProgramAllowsIt) {
  run([] {
    const NoGuards no_guards;
    set_stack_guards(StackGuards::kWhereAvailable);
    int ran = 0;
    for (int round = 0; round < 3; ++round) {
      TaskGroup<void> group;
      for (int i = 0; i < 10; ++i) {
        group.spawn(
            [&] {
              touch(100 * 1024);
              ++ran;
            },
            {.stack_size = kSize});
      }
      EXPECT_TRUE(group.wait());
      trim_memory();
    }
    EXPECT_EQ(ran, 30);
  });
}

TEST(GuardShortageDeathTest, AnOverflowWithoutAGuardIsFoundWhenTheFiberEnds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto overflow = [] {
    run([] {
      const NoGuards no_guards;
      set_stack_guards(StackGuards::kWhereAvailable);
      static_cast<void>(
          spawn([] { touch(30 * 1024); }, {.name = "too deep", .stack_size = 16 * 1024}).join());
      for (int i = 0; i < 100; ++i) yield();
    });
  };
  EXPECT_DEATH(overflow(), "stack overflow in fiber \"too deep\" .*has no guard");
}

TEST(GuardShortage, AStackThatHadAGuardKeepsItWhenItsMemoryWasGivenBack) {
  run([] {
    static_cast<void>(spawn([] {}, {.stack_size = kSmallSize}).join());
    yield();
    trim_memory();
    const NoGuards no_guards;
    EXPECT_NO_THROW(static_cast<void>(spawn([] {}, {.stack_size = kSmallSize}).join()));
  });
}

}  // namespace
}  // namespace weft
