// SPDX-License-Identifier: Apache-2.0
// A cancel storm over broadcast and watch channels, rate limiters and tickers: each program is cancelled at
// its k-th moment, for every k until it gets through. Whatever the moment: every subscriber has received, or
// finds, all that was sent; permits are neither lost nor stuck; the ticker goes on.
#include "base/atomic.hpp"
#include "support/any_context.hpp"

#include <weft/broadcast_channel.hpp>
#include <weft/rate_limiter.hpp>
#include <weft/select.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>
#include <weft/ticker.hpp>
#include <weft/watch_channel.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;

constexpr int kSubscribers = 3;
constexpr int kSenders = 2;
constexpr int kValues = 4;

/// Values sent by all, and received by each.
struct BroadcastWorld {
  explicit BroadcastWorld(SlowSubscriber slow) : channel(2, slow) {
    for (int i = 0; i < kSubscribers; ++i) subscribers.push_back(channel.subscribe());
  }

  Result<void> send(bool by_select) {
    for (int i = 0; i < kValues; ++i) {
      Result<void> result;
      if (by_select) {
        const Selected selected =
            select(weft::send(channel, i, [&](Result<void> told) { result = told; }), after(1h, [] {}));
        if (!selected) result = selected.error();
      } else {
        result = channel.send(i);
      }
      if (!result) return result;
      sent.fetch_add(1);
    }
    return {};
  }

  Result<void> receive(std::size_t which, bool by_select) {
    while (received[which].load() + lost(which) < kSenders * kValues) {
      Result<std::shared_ptr<const int>> value = Errc::cancelled;
      if (by_select) {
        select(weft::receive(subscribers[which], [&](auto got) { value = std::move(got); }));
      } else {
        value = subscribers[which].receive();
      }
      if (value) received[which].fetch_add(1);
      if (!value && value.error() != Errc::lagged) return value.error();
    }
    return {};
  }

  int lost(std::size_t which) { return static_cast<int>(subscribers[which].lost()); }

  void expect_all_accounted_for() {
    channel.close();
    for (std::size_t i = 0; i < subscribers.size(); ++i) {
      for (const int value : subscribers[i]) {
        EXPECT_LT(value, kValues);
        received[i].fetch_add(1);
      }
      EXPECT_EQ(received[i].load() + lost(i), sent.load());
    }
  }

  BroadcastChannel<int> channel;
  std::vector<BroadcastSubscriber<int>> subscribers;
  Atomic<int> sent{0};
  Atomic<int> received[kSubscribers]{};
};

/// A group of fibers that is cancelled after `moments` yields. True: it was in time.
template <class Start>
bool storm(int moments, Start start) {
  TaskGroup<void> group;
  start(group);
  for (int i = 0; i < moments; ++i) yield();
  group.cancel();
  const Result<void> result = group.wait();
  if (!result) {
    EXPECT_EQ(result.error(), Errc::cancelled);
  }
  return !result;
}

/// For every moment until it gets through three times in a row; in several threads chance decides, so many
/// moments are enough.
template <class Run>
void at_every_moment(Run run) {
  for (int k = 0, through = 0; k < 150 && through < 3; ++k) through = run(k) ? 0 : through + 1;
}

class BroadcastStorm : public test::InAnyContext {};

TEST_P(BroadcastStorm, EverySubscriberAccountsForAllThatWasSent) {
  run([] {
    for (const auto slow : {SlowSubscriber::kSenderWaits, SlowSubscriber::kLosesOldest}) {
      for (const bool by_select : {false, true}) {
        at_every_moment([&](int k) {
          BroadcastWorld world(slow);
          const bool cancelled = storm(k, [&](TaskGroup<void>& group) {
            for (int i = 0; i < kSenders; ++i) group.spawn([&] { return world.send(by_select); });
            for (std::size_t i = 0; i < kSubscribers; ++i)
              group.spawn([&, i] { return world.receive(i, by_select); });
          });
          world.expect_all_accounted_for();
          return cancelled;
        });
      }
    }
  });
}

TEST_P(BroadcastStorm, ReceiversOfAWatchStillSeeTheNewestValue) {
  run([] {
    at_every_moment([&](int k) {
      WatchChannel<int> channel(0);
      auto one = channel.subscribe();
      auto two = channel.subscribe();
      int seen[2] = {0, 0};
      const bool cancelled = storm(k, [&](TaskGroup<void>& group) {
        group.spawn([&]() -> Result<void> {
          for (int i = 1; i <= kValues; ++i) {
            if (auto sent = channel.send(i); !sent) return sent;
            yield();
          }
          return {};
        });
        const auto sees = [&](WatchReceiver<int>& receiver, int& last) {
          return [&]() -> Result<void> {
            while (last < kValues) {
              const auto value = receiver.changed();
              if (!value) return value.error();
              EXPECT_GT(**value, last);
              last = **value;
            }
            return {};
          };
        };
        group.spawn(sees(one, seen[0]));
        group.spawn(sees(two, seen[1]));
      });
      const int last = *channel.get();
      EXPECT_EQ(one.has_changed(), seen[0] != last);
      EXPECT_EQ(two.has_changed(), seen[1] != last);
      return cancelled;
    });
  });
}

TEST_P(BroadcastStorm, ALimiterAndATickerGoOn) {
  run([] {
    at_every_moment([&](int k) {
      RateLimiter limiter(200'000, 4);
      Ticker ticker(10us);
      const bool cancelled = storm(k, [&](TaskGroup<void>& group) {
        for (std::size_t i = 0; i < 4; ++i) {
          group.spawn([&, i]() -> Result<void> {
            for (int n = 0; n < 4; ++n) {
              if (auto got = limiter.acquire(i + 1); !got) return got;
            }
            return {};
          });
          group.spawn([&, i]() -> Result<void> {
            if (i % 2 == 0) {
              const Selected selected = select(tick(ticker, [] {}));
              return selected ? Result<void>() : Result<void>(selected.error());
            }
            const auto tick = ticker.tick();
            return tick ? Result<void>() : Result<void>(tick.error());
          });
        }
      });
      EXPECT_TRUE(limiter.acquire(4));
      EXPECT_TRUE(ticker.tick());
      return cancelled;
    });
  });
}

INSTANTIATE_TEST_SUITE_P(, BroadcastStorm, test::all_placements(), test::kind_name);

}  // namespace
}  // namespace weft
