// SPDX-License-Identifier: Apache-2.0
// Deadlines as include/weft/deadline.hpp describes them.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;
using weft::Deadline;

TEST(Deadlines, NeverIsTheDefaultAndTheGreatest) {
  EXPECT_EQ(Deadline(), Deadline::never());
  EXPECT_TRUE(Deadline().is_never());
  stranger::in_fiber([] { EXPECT_LT(Deadline::after(std::chrono::hours(24 * 365)), Deadline::never()); });
}

TEST(Deadlines, ANegativeTimeoutHasPassed) {
  stranger::in_fiber([] {
    EXPECT_TRUE(Deadline::after(-1ns).passed());
    EXPECT_TRUE(Deadline::after(0ns).passed());
    EXPECT_FALSE(Deadline::after(1h).passed());
    EXPECT_FALSE(Deadline::never().passed());
  });
}

}  // namespace
