// SPDX-License-Identifier: Apache-2.0
// HZ4: errno and thread-locals are never cached over a switch. A compiler may keep the
// address of a thread-local in a register, as threads do not change in the middle of a function; fibers do.
#include "base/opaque.hpp"
#include "hazards/hop.hpp"
#include "sys/errors.hpp"
#include "sys/io.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>

namespace weft {
namespace {

using test::Hops;

constexpr int kRounds = 50;

TEST(ThreadHop, TheRunnerIsThatOfTheThreadNow) {
  Hops hops;
  hops.run_fiber([](auto hop) {
    Runner* const first = this_runner();
    hop();
    Runner* const second = this_runner();
    EXPECT_NE(first, second);
    for (int i = 0; i < kRounds; ++i) {
      hop();
      EXPECT_EQ(this_runner(), first);
      hop();
      EXPECT_EQ(this_runner(), second);
    }
  });
}

TEST(ThreadHop, TheCurrentFiberAndWaiterStayTheSame) {
  Hops hops;
  hops.run_fiber([](auto hop) {
    Fiber* const self = this_fiber_or_null();
    for (int i = 0; i < kRounds; ++i) {
      hop();
      EXPECT_EQ(this_fiber_or_null(), self);
      EXPECT_EQ(&Waiter::current(), self);
    }
  });
}

TEST(ThreadHop, TheExceptionStateIsThatOfTheThreadNow) {
  Hops hops;
  hops.run_fiber([](auto hop) {
    ExceptionState* const first = thread_exception_state();
    for (int i = 0; i < kRounds; ++i) {
      hop();
      EXPECT_NE(thread_exception_state(), first);
      hop();
      EXPECT_EQ(thread_exception_state(), first);
    }
  });
}

/// Two errors that take turns: the address of errno, kept from before a hop, would give the other thread's.
TEST(ThreadHop, HZ4_AnErrorIsThatOfTheCallBeforeIt) {
  const int directory = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_GE(directory, 0);
  Hops hops;
  hops.run_fiber([directory](auto hop) {
    std::array<std::byte, 1> byte{};
    for (int i = 0; i < kRounds; ++i) {
      const auto bad_descriptor = sys::read(-1, byte);
      hop();
      const auto is_directory = sys::read(directory, byte);
      EXPECT_TRUE(sys::is_errno(bad_descriptor.error(), EBADF));
      EXPECT_TRUE(sys::is_errno(is_directory.error(), EISDIR));
      if (i % 2 == 0) hop();
      EXPECT_TRUE(sys::is_errno(sys::read(-1, byte).error(), EBADF));
    }
  });
  ::close(directory);
}

thread_local int user_value = 0;

// What users are told to do with thread-locals of their own (docs/guide): an accessor that is not inlined.
WEFT_OPAQUE int& user_value_here() {
  int* address = &user_value;
  asm volatile("" : "+r"(address)::"memory");
  return *address;
}

TEST(ThreadHop, HZ4_AnOutOfLineAccessorFindsTheThreadLocalOfTheThreadNow) {
  Hops hops;
  hops.run_fiber([](auto hop) {
    user_value_here() = 1;
    hop();
    user_value_here() = 2;
    for (int i = 0; i < kRounds; ++i) {
      hop();
      EXPECT_EQ(user_value_here(), 1);
      hop();
      EXPECT_EQ(user_value_here(), 2);
    }
  });
}

}  // namespace
}  // namespace weft
