// SPDX-License-Identifier: Apache-2.0
// What was wrong: of more than about 500 runnable fibers a yield() let the nearest run, and the rest waited
// for tens of thousands of yields. A fiber that waited again and again although it was cancelled never
// yielded.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

namespace {

using namespace std::chrono_literals;

TEST(Yield, LetsAllThatWereSpawnedRunWithinAFewCalls) {
  for (const int count : {10, 500, 600, 3000}) {
    stranger::in_fiber([&] {
      int ran = 0;
      for (int i = 0; i < count; ++i) weft::spawn([&] { ++ran; });
      int yields = 0;
      for (; ran < count && yields < 1000; ++yields) weft::yield();
      EXPECT_EQ(ran, count) << yields << " yields";
    });
  }
}

TEST(CancelledWaits, LetOthersRunHoweverOftenTheyAreTried) {
  stranger::in_fiber([] {
    bool ran = false;
    weft::Channel<int> channel;
    weft::Semaphore none(0);
    auto deaf = weft::spawn([&] {
      int tries = 0;
      for (; !ran && tries < 1'000'000; ++tries) {
        EXPECT_FALSE(channel.receive());
        EXPECT_FALSE(none.acquire());
        EXPECT_FALSE(weft::sleep(1h));
      }
      return tries;
    });
    deaf.cancel();
    weft::yield();
    ran = true;
    EXPECT_LT(deaf.join_uncancellable(), 1'000'000);
  });
}

}  // namespace
