// SPDX-License-Identifier: Apache-2.0
// checkpoint(): a loop that finds everything in memory lets others run, and notices that it was cancelled.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

namespace {

TEST(Checkpoint, LetsOthersRunEvery64Times) {
  stranger::in_fiber([] {
    int rounds = 0;
    int rounds_when_the_other_ran = -1;
    auto other = weft::spawn([&] { rounds_when_the_other_ran = rounds; });
    for (; rounds < 1000; ++rounds) EXPECT_TRUE(weft::checkpoint());
    other.join_uncancellable();
    EXPECT_GE(rounds_when_the_other_ran, 0);
    EXPECT_LE(rounds_when_the_other_ran, 64);
  });
}

TEST(Checkpoint, FailsOnceTheScopeAroundItWasCancelled) {
  stranger::in_fiber([] {
    weft::CancelScope scope;
    int rounds = 0;
    while (rounds < 1000 && weft::checkpoint()) {
      if (++rounds == 10) scope.cancel();
    }
    EXPECT_GE(rounds, 10);
    EXPECT_LE(rounds, 10 + 64);
    EXPECT_EQ(weft::checkpoint().error(), weft::Errc::cancelled);
  });
}

TEST(Checkpoint, DoesNothingOnAPlainThread) {
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(weft::checkpoint());
}

}  // namespace
