// SPDX-License-Identifier: Apache-2.0
// What was wrong: of more than about 500 runnable fibers a yield() let the nearest run, and the rest waited
// for tens of thousands of yields. A fiber that waited again and again although it was cancelled never
// yielded.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <algorithm>
#include <memory>
#include <vector>

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

/// How often each of `count` fibers ran when they had done `total` steps together. In a fiber of one thread.
template <class Step>
std::vector<std::size_t> shares(std::size_t count, std::size_t total, const Step& step) {
  std::vector<std::size_t> served(count);
  std::size_t steps = 0;
  std::vector<weft::JoinHandle<void>> fibers;
  weft::Latch begun(static_cast<std::int64_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    fibers.push_back(weft::spawn([&, i] {
      begun.arrive_and_wait_uncancellable();
      while (steps < total) {
        ++steps;
        ++served[i];
        step(i);
      }
    }));
  }
  for (auto& fiber : fibers) fiber.join_uncancellable();
  std::sort(served.begin(), served.end());
  return served;
}

// More than a thread's own queue holds, 256: those in it were served six times as often as the others.
TEST(Yield, ThousandsOfFibersAreServedEvenly) {
  for (const std::size_t count : {std::size_t{200}, std::size_t{258}, std::size_t{3000}}) {
    stranger::in_fiber([count] {
      const auto served = shares(count, 40 * count, [](std::size_t) { weft::yield(); });
      EXPECT_GE(served.front(), 20U) << count;
      EXPECT_LE(served.back(), 2 * served.front()) << count;
    });
  }
}

// Pairs that pass a value to and fro wake each other.
TEST(Yield, ThousandsOfFibersWithChannelsAreServedEvenly) {
  for (const std::size_t count : {std::size_t{200}, std::size_t{600}, std::size_t{3000}}) {
    stranger::in_fiber([count] {
      std::vector<std::unique_ptr<weft::Channel<int>>> channels;
      for (std::size_t i = 0; i < count / 2; ++i) channels.push_back(std::make_unique<weft::Channel<int>>());
      const std::size_t total = 100 * count;
      std::size_t steps = 0;
      const auto served = shares(count, total, [&](std::size_t i) {
        weft::Channel<int>& channel = *channels[i / 2];
        if (++steps >= total)
          for (auto& each : channels) each->close();
        if (i % 2 == 0)
          (void)channel.send(1);
        else
          (void)channel.receive();
      });
      EXPECT_GE(served.front(), 50U) << count;
      EXPECT_LE(served.back(), 2 * served.front()) << count;
    });
  }
}

}  // namespace
