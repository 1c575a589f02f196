// SPDX-License-Identifier: Apache-2.0
// Many calls at once, from many fibers and threads.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <atomic>
#include <numeric>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using stranger::in_fiber;

TEST(BlockingMany, EveryCallIsMadeOnceAndEachGetsItsOwnValue) {
  for (const std::uint32_t threads : {1u, 4u}) {
    in_fiber(
        [] {
          weft::BlockingPool pool("many", {.threads_max = 4});
          std::atomic<int> calls{0};
          weft::TaskGroup<int> group;
          for (int i = 0; i < 2000; ++i)
            group.spawn([&, i] { return pool.run([&, i] { return calls.fetch_add(1), i * 3; }); });
          const std::vector<int> values = group.wait().value();
          for (int i = 0; i < 2000; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], i * 3);
          EXPECT_EQ(calls.load(), 2000);
          EXPECT_LE(pool.counters().threads, 4u);
          EXPECT_EQ(pool.counters().started_calls, 2000u);
        },
        threads);
  }
}

TEST(BlockingMany, OneThreadKeepsTheOrder) {
  in_fiber([] {
    weft::BlockingPool pool("one", {.threads_max = 1});
    std::vector<int> order;  // only that thread touches it
    weft::TaskGroup<void> group;
    for (int i = 0; i < 500; ++i) group.spawn([&, i] { pool.run([&, i] { order.push_back(i); }).value(); });
    group.wait().value();
    // Children of one thread start in some order; the calls are made in the order of the fibers' calls, each
    // once.
    std::vector<int> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    std::vector<int> expected(500);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(sorted, expected);
  });
}

TEST(BlockingMany, FibersThreadsAndCancellationsMixed) {
  in_fiber(
      [] {
        weft::BlockingPool pool("mixed", {.threads_max = 2, .idle_timeout = 0ms});
        std::atomic<int> made{0}, ended{0}, cancelled{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 2; ++t) {
          threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) ended += pool.run([&] { ++made; }).has_value();
          });
        }
        {
          weft::TaskGroup<void> group;
          for (int i = 0; i < 300; ++i) {
            group.spawn([&] {
              for (int round = 0; round < 3; ++round) {
                const auto ran = pool.run([&] { ++made; });
                ran ? ++ended : ++cancelled;
              }
            });
          }
          for (int i = 0; i < 20; ++i) weft::yield();
          group.cancel();
          static_cast<void>(group.wait());
        }
        weft::blocking([&] {
          for (std::thread& thread : threads) thread.join();
        }).value();
        EXPECT_EQ(ended.load(), made.load());
        EXPECT_EQ(ended.load() + cancelled.load(), 400 + 900);
      },
      2);
}

}  // namespace
