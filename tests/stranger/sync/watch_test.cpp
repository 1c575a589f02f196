// SPDX-License-Identifier: Apache-2.0
// Watch channels as include/weft/watch_channel.hpp describes them.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::Errc;
using weft::WatchChannel;
using weft::WatchReceiver;

TEST(Watch, HasOneCurrentValue) {
  stranger::in_fiber([] {
    WatchChannel<std::string> channel("first");
    EXPECT_EQ(*channel.get(), "first");
    auto receiver = channel.subscribe();
    EXPECT_EQ(*receiver.get(), "first");
    EXPECT_FALSE(receiver.has_changed()) << "what was there counts as seen";
    EXPECT_EQ(receiver.try_changed().error(), Errc::would_block);
    EXPECT_TRUE(channel.send("second"));
    EXPECT_TRUE(channel.send("third"));
    EXPECT_TRUE(receiver.has_changed());
    EXPECT_EQ(*receiver.get(), "third");
    EXPECT_TRUE(receiver.has_changed()) << "get() does not count as seeing";
    EXPECT_EQ(**receiver.changed(), "third");
    EXPECT_FALSE(receiver.has_changed());
    EXPECT_EQ(receiver.changed_until(1ms).error(), Errc::timed_out);
    EXPECT_TRUE(channel.send("third")) << "the same value is a change";
    EXPECT_EQ(**receiver.try_changed(), "third");
  });
}

TEST(Watch, ASnapshotStaysWhatItIs) {
  stranger::in_fiber([] {
    WatchChannel<std::vector<int>> channel({1, 2, 3});
    auto receiver = channel.subscribe();
    const auto snapshot = receiver.get();
    EXPECT_TRUE(channel.send({4}));
    EXPECT_EQ(*snapshot, (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(snapshot.use_count(), 1) << "the channel keeps the newest only";
    EXPECT_EQ(*channel.get(), std::vector<int>{4});
  });
}

TEST(Watch, AllWhoWaitAreTold) {
  stranger::in_fiber(
      [] {
        WatchChannel<int> channel(0);
        std::vector<weft::JoinHandle<int>> waiting;
        for (int i = 0; i < 1500; ++i) {
          waiting.push_back(weft::spawn([receiver = channel.subscribe()]() mutable {
            auto value = receiver.changed();
            return value ? **value : -1;
          }));
        }
        EXPECT_TRUE(channel.send(7));
        for (auto& fiber : waiting) EXPECT_EQ(fiber.join_uncancellable(), 7);
      },
      2);
}

TEST(Watch, ACloseIsToldAfterTheLastValue) {
  stranger::in_fiber([] {
    auto channel = std::make_unique<WatchChannel<int>>(1);
    auto behind = channel->subscribe();
    EXPECT_TRUE(channel->send(2));
    auto waits = channel->subscribe();
    auto waiting = weft::spawn([&] { return waits.changed(); });
    weft::yield();
    EXPECT_TRUE(channel->close());
    EXPECT_FALSE(channel->close());
    EXPECT_TRUE(channel->closed());
    EXPECT_TRUE(behind.closed());
    EXPECT_EQ(channel->send(3).error(), Errc::closed);
    EXPECT_EQ(channel->update([](int value) { return value + 1; }).error(), Errc::closed);
    EXPECT_EQ(waiting.join().error(), Errc::closed);
    channel.reset();
    EXPECT_EQ(**behind.changed(), 2);
    EXPECT_EQ(behind.changed().error(), Errc::closed);
    EXPECT_EQ(behind.try_changed().error(), Errc::closed);
    EXPECT_EQ(*behind.get(), 2);
  });
}

TEST(Watch, TheEndOfTheChannelWakesThoseWhoWait) {
  stranger::in_fiber([] {
    auto channel = std::make_unique<WatchChannel<int>>(1);
    auto receiver = channel->subscribe();
    auto waiting = weft::spawn([&] { return receiver.changed(); });
    weft::yield();
    channel.reset();
    EXPECT_EQ(waiting.join().error(), Errc::closed);
  });
}

TEST(Watch, ACallThatIsGivenUpHasSeenNothing) {
  stranger::in_fiber([] {
    WatchChannel<int> channel(0);
    auto receiver = channel.subscribe();
    auto waiting = weft::spawn([&] { return receiver.changed(); });
    weft::yield();
    waiting.cancel();
    EXPECT_EQ(waiting.join().error(), Errc::cancelled);
    EXPECT_EQ(weft::with_timeout(1ms, [&] { return receiver.changed(); }).error(), Errc::timed_out);
    EXPECT_EQ(receiver.changed_until(-1ns).error(), Errc::timed_out);
    EXPECT_TRUE(channel.send(1));
    EXPECT_EQ(**receiver.changed_until(-1ns), 1);
  });
}

TEST(Watch, ManySendersUpdateOneValue) {
  stranger::in_fiber(
      [] {
        WatchChannel<int> channel(0);
        weft::TaskGroup<void> group;
        for (int i = 0; i < 8; ++i) {
          group.spawn([&]() -> weft::Result<void> {
            for (int n = 0; n < 100; ++n) {
              auto updated = channel.update([&](int value) {
                if (n % 10 == 0) weft::yield();
                return value + 1;
              });
              if (!updated) return updated;
            }
            return {};
          });
        }
        EXPECT_TRUE(group.wait());
        EXPECT_EQ(*channel.get(), 800);
      },
      4);
}

TEST(Watch, AnUpdateThatThrowsReplacesNothing) {
  stranger::in_fiber([] {
    WatchChannel<int> channel(1);
    auto receiver = channel.subscribe();
    EXPECT_THROW((void)channel.update([](int) -> int { throw std::runtime_error("no"); }),
                 std::runtime_error);
    EXPECT_FALSE(receiver.has_changed());
    EXPECT_TRUE(channel.update([](const int& value) { return value * 10; }));
    EXPECT_EQ(**receiver.changed(), 10);
  });
}

TEST(Watch, ReceiversMoveAndKeepWhatTheyHaveSeen) {
  stranger::in_fiber([] {
    WatchChannel<int> channel(0);
    auto one = channel.subscribe();
    EXPECT_TRUE(channel.send(1));
    EXPECT_EQ(**one.changed(), 1);
    auto two = std::move(one);
    EXPECT_EQ(two.try_changed().error(), Errc::would_block);
    EXPECT_TRUE(channel.send(2));
    one = std::move(two);
    EXPECT_EQ(**one.changed(), 2);
    std::vector<WatchReceiver<int>> many;
    for (int i = 0; i < 50; ++i) many.push_back(channel.subscribe());
    EXPECT_TRUE(channel.send(3));
    for (auto& receiver : many) EXPECT_EQ(**receiver.changed(), 3);
  });
}

struct FixedValue {
  explicit FixedValue(int number) : value(number) {}
  FixedValue(const FixedValue&) = delete;
  int value;
};

/// Counts those that live.
struct LiveCount {
  explicit LiveCount(int& count) : live(&count) { ++*live; }
  LiveCount(const LiveCount& other) : live(other.live) { ++*live; }
  ~LiveCount() { --*live; }
  int* live;
};

TEST(Watch, HoldsAnythingAndKeepsOne) {
  stranger::in_fiber([] {
    WatchChannel<FixedValue> fixed(std::make_shared<const FixedValue>(3));
    EXPECT_EQ(fixed.get()->value, 3);
    EXPECT_TRUE(fixed.send_shared(std::make_shared<const FixedValue>(4)));
    EXPECT_EQ(fixed.get()->value, 4);
    int live = 0;
    {
      WatchChannel<LiveCount> channel{LiveCount(live)};
      auto receiver = channel.subscribe();
      for (int i = 0; i < 10; ++i) EXPECT_TRUE(channel.send(LiveCount(live)));
      EXPECT_EQ(live, 1);
    }
    EXPECT_EQ(live, 0);
  });
}

TEST(Watch, IsABranchOfASelect) {
  stranger::in_fiber([] {
    WatchChannel<int> channel(0);
    auto receiver = channel.subscribe();
    int got = 0;
    const auto take = [&](weft::Result<std::shared_ptr<const int>> value) { got = value ? **value : -1; };
    const auto never = [](auto&&...) { ADD_FAILURE(); };
    EXPECT_TRUE(weft::select(weft::changed(receiver, never), weft::otherwise([] {})));
    EXPECT_TRUE(channel.send(1));
    EXPECT_TRUE(weft::select(weft::changed(receiver, take), weft::otherwise(never)));
    EXPECT_EQ(got, 1);
    auto waiting = weft::spawn(
        [&] { EXPECT_TRUE(weft::select(weft::changed(receiver, take), weft::after(1h, never))); });
    weft::yield();
    EXPECT_TRUE(channel.send(2));
    waiting.join_uncancellable();
    EXPECT_EQ(got, 2);
    auto ends = weft::spawn([&] { EXPECT_TRUE(weft::select(weft::changed(receiver, take))); });
    weft::yield();
    channel.close();
    ends.join_uncancellable();
    EXPECT_EQ(got, -1);
  });
}

TEST(Watch, ServesPlainThreads) {
  WatchChannel<int> channel(0);
  int last = 0;
  std::thread thread([&last, receiver = channel.subscribe()]() mutable {
    while (auto value = receiver.changed()) {
      EXPECT_GT(**value, last);
      last = **value;
    }
  });
  for (int i = 1; i <= 1000; ++i) EXPECT_TRUE(channel.send(i));
  channel.close();
  thread.join();
  EXPECT_EQ(last, 1000);
}

TEST(WatchDeathTest, Misuse) {
  const auto misuse = [](auto body) { weft::run([&] { body(); }); };
  EXPECT_DEATH(misuse([] {
                 WatchChannel<int> channel(1);
                 auto receiver = std::make_unique<WatchReceiver<int>>(channel.subscribe());
                 weft::spawn([&] { (void)receiver->changed(); });
                 weft::yield();
                 receiver.reset();
               }),
               "a watch receiver is destroyed or moved while somebody waits on it");
  EXPECT_DEATH(misuse([] {
                 WatchChannel<int> channel(1);
                 auto receiver = channel.subscribe();
                 auto moved = std::move(receiver);
                 (void)receiver.get();  // NOLINT(bugprone-use-after-move)
               }),
               "a watch receiver is used after it was moved from");
  EXPECT_DEATH(misuse([] { (void)WatchChannel<int>(1).send_shared(nullptr); }), "a null pointer is sent");
}

}  // namespace
