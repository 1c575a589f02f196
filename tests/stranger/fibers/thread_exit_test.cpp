// SPDX-License-Identifier: Apache-2.0
// A thread that runs fibers is not ended from within one: the runtime took the unwinding for an exception of
// the fiber's, and the C library ended the program without a word of where.
#include "children.hpp"
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <pthread.h>
#include <string>

namespace {

/// Says that the frames above it were left in order.
struct Tells {
  ~Tells() { std::fputs("unwound\n", stderr); }
};

TEST(ThreadExitDeathTest, PthreadExitInAFiberIsABug) {
  if (WITH_TSAN)
    GTEST_SKIP() << "ThreadSanitizer's own pthread_exit() knows threads only, and ends the program";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      stranger::in_fiber([] {
        const Tells tells;
        ::pthread_exit(nullptr);
      }),
      "unwound\n(.|\n)*BUG: pthread_exit\\(\\) or pthread_cancel\\(\\) ends a thread that runs fibers");
}

TEST(ThreadExitDeathTest, PthreadCancelOfAFibersThreadIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      stranger::in_fiber([] {
        const Tells tells;
        ::pthread_cancel(::pthread_self());
        ::pthread_testcancel();
      }),
      "unwound\n(.|\n)*BUG: pthread_exit\\(\\) or pthread_cancel\\(\\) ends a thread that runs fibers");
}

}  // namespace
