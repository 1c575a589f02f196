// SPDX-License-Identifier: Apache-2.0
// Broadcast channels as include/weft/broadcast_channel.hpp describes them.
#include "stranger/stranger.hpp"

#include <weft/weft.hpp>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using weft::BroadcastChannel;
using weft::BroadcastSubscriber;
using weft::Errc;
using weft::SlowSubscriber;

std::vector<int> drain(BroadcastSubscriber<int>& subscriber) {
  std::vector<int> values;
  while (auto value = subscriber.try_receive()) values.push_back(**value);
  return values;
}

TEST(Broadcast, EverySubscriberReceivesEveryValueSentAfterIt) {
  stranger::in_fiber([] {
    BroadcastChannel<int> channel(4);
    EXPECT_TRUE(channel.send(0)) << "to nobody";
    auto first = channel.subscribe();
    EXPECT_TRUE(channel.send(1));
    auto second = channel.subscribe();
    EXPECT_TRUE(channel.send(2));
    EXPECT_TRUE(channel.send(3));
    EXPECT_EQ(channel.subscribers(), 2u);
    EXPECT_EQ(channel.capacity(), 4u);
    EXPECT_EQ(first.size(), 3u);
    EXPECT_EQ(second.size(), 2u);
    EXPECT_EQ(drain(first), (std::vector<int>{1, 2, 3}));
    EXPECT_EQ(drain(second), (std::vector<int>{2, 3}));
    EXPECT_EQ(first.try_receive().error(), Errc::would_block);
    EXPECT_EQ(first.lost(), 0u);
  });
}

TEST(Broadcast, AllSeeTheSameObject) {
  stranger::in_fiber([] {
    BroadcastChannel<std::string> channel(1);
    auto first = channel.subscribe();
    auto second = channel.subscribe();
    EXPECT_TRUE(channel.send("a text that is too long for a small string"));
    auto one = first.receive().value();
    auto two = second.receive().value();
    EXPECT_EQ(one.get(), two.get());
    EXPECT_EQ(*one, "a text that is too long for a small string");
    EXPECT_EQ(one.use_count(), 2) << "the channel keeps none that all have received";
  });
}

TEST(Broadcast, ASenderWaitsForTheSlowest) {
  stranger::in_fiber([] {
    BroadcastChannel<int> channel(2);
    auto fast = channel.subscribe();
    auto slow = channel.subscribe();
    EXPECT_TRUE(channel.send(1));
    EXPECT_TRUE(channel.send(2));
    EXPECT_EQ(drain(fast), (std::vector<int>{1, 2}));
    EXPECT_EQ(channel.try_send(3).error(), Errc::would_block);
    EXPECT_EQ(channel.send_until(3, 1ms).error(), Errc::timed_out);
    auto sender = weft::spawn([&] {
      EXPECT_TRUE(channel.send(3));
      EXPECT_TRUE(channel.send(4));
    });
    weft::yield();
    EXPECT_EQ(fast.size(), 0u);
    EXPECT_EQ(**slow.receive(), 1);
    EXPECT_EQ(**fast.receive(), 3);
    slow.unsubscribe();
    EXPECT_TRUE(slow.unsubscribed());
    sender.join_uncancellable();
    EXPECT_EQ(drain(fast), std::vector<int>{4});
    EXPECT_EQ(channel.subscribers(), 1u);
  });
}

TEST(Broadcast, TheSlowOneLosesTheOldestAndIsTold) {
  stranger::in_fiber([] {
    BroadcastChannel<int> channel(3, SlowSubscriber::kLosesOldest);
    auto slow = channel.subscribe();
    auto fast = channel.subscribe();
    for (int i = 1; i <= 10; ++i) {
      EXPECT_TRUE(channel.send(i));
      EXPECT_EQ(**fast.receive(), i);
    }
    EXPECT_EQ(slow.size(), 3u);
    EXPECT_EQ(slow.lost(), 0u) << "not told yet";
    EXPECT_EQ(slow.receive().error(), Errc::lagged);
    EXPECT_EQ(slow.lost(), 7u);
    EXPECT_EQ(drain(slow), (std::vector<int>{8, 9, 10}));
    for (int i = 11; i <= 14; ++i) EXPECT_TRUE(channel.try_send(i));
    EXPECT_EQ(slow.try_receive().error(), Errc::lagged);
    EXPECT_EQ(slow.lost(), 8u);
    EXPECT_EQ(**slow.receive(), 12);
    EXPECT_TRUE(channel.send(15));
    EXPECT_EQ(**slow.receive(), 13) << "three are what it holds";
    EXPECT_EQ(make_error_code(Errc::lagged).message(), "values were lost");
  });
}

TEST(Broadcast, ALoopOverASubscriberPassesOverWhatWasLost) {
  stranger::in_fiber([] {
    BroadcastChannel<int> channel(2, SlowSubscriber::kLosesOldest);
    auto subscriber = channel.subscribe();
    for (int i = 1; i <= 5; ++i) EXPECT_TRUE(channel.send(i));
    channel.close();
    std::vector<int> seen;
    for (const int value : subscriber) seen.push_back(value);
    EXPECT_EQ(seen, (std::vector<int>{4, 5}));
    EXPECT_EQ(subscriber.lost(), 3u);
  });
}

TEST(Broadcast, ACloseLetsSubscribersFinish) {
  stranger::in_fiber([] {
    BroadcastChannel<int> channel(1);
    auto subscriber = channel.subscribe();
    auto idle = channel.subscribe();
    EXPECT_TRUE(channel.send(1));
    EXPECT_EQ(**idle.receive(), 1);
    auto waiting = weft::spawn([&] { return idle.receive(); });
    auto sender = weft::spawn([&] { return channel.send(2); });
    weft::yield();
    EXPECT_TRUE(channel.close());
    EXPECT_FALSE(channel.close());
    EXPECT_TRUE(channel.closed());
    EXPECT_EQ(waiting.join().error(), Errc::closed);
    EXPECT_EQ(sender.join().error(), Errc::closed);
    EXPECT_EQ(channel.send(3).error(), Errc::closed);
    EXPECT_EQ(channel.try_send(3).error(), Errc::closed);
    EXPECT_EQ(**subscriber.receive(), 1);
    EXPECT_EQ(subscriber.receive().error(), Errc::closed);
    EXPECT_EQ(subscriber.try_receive().error(), Errc::closed);
    auto late = channel.subscribe();
    EXPECT_EQ(late.receive().error(), Errc::closed);
  });
}

TEST(Broadcast, SubscribersOutliveTheChannel) {
  stranger::in_fiber([] {
    auto channel = std::make_unique<BroadcastChannel<std::string>>(4);
    auto subscriber = channel->subscribe();
    auto empty = channel->subscribe();
    EXPECT_TRUE(channel->send("left"));
    EXPECT_EQ(**empty.receive(), "left");
    auto waiting = weft::spawn([&] { return empty.receive(); });
    weft::yield();
    channel.reset();
    EXPECT_EQ(waiting.join().error(), Errc::closed);
    EXPECT_EQ(**subscriber.receive(), "left");
    EXPECT_EQ(subscriber.receive().error(), Errc::closed);
    auto moved = std::move(subscriber);
    EXPECT_EQ(moved.receive().error(), Errc::closed);
  });
}

TEST(Broadcast, SubscribersMoveAndKeepTheirPlace) {
  stranger::in_fiber([] {
    BroadcastChannel<int> channel(8);
    auto one = channel.subscribe();
    for (int i = 1; i <= 4; ++i) EXPECT_TRUE(channel.send(i));
    EXPECT_EQ(**one.receive(), 1);
    auto two = std::move(one);
    EXPECT_TRUE(one.unsubscribed());  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(**two.receive(), 2);
    one = std::move(two);
    EXPECT_EQ(**one.receive(), 3);
    auto* const same = &one;
    one = std::move(*same);
    EXPECT_EQ(**one.receive(), 4);
    BroadcastChannel<int> other(8);
    one = other.subscribe();
    EXPECT_EQ(channel.subscribers(), 0u);
    EXPECT_TRUE(other.send(7));
    EXPECT_EQ(**one.receive(), 7);
    std::vector<BroadcastSubscriber<int>> many;
    for (int i = 0; i < 100; ++i) many.push_back(channel.subscribe());
    EXPECT_EQ(channel.subscribers(), 100u);
    EXPECT_TRUE(channel.send(5));
    for (auto& subscriber : many) EXPECT_EQ(**subscriber.receive(), 5);
    many.clear();
    EXPECT_EQ(channel.subscribers(), 0u);
  });
}

TEST(Broadcast, CallsThatAreGivenUpHaveDoneNothing) {
  stranger::in_fiber([] {
    BroadcastChannel<int> channel(1);
    auto subscriber = channel.subscribe();
    EXPECT_EQ(subscriber.receive_until(1ms).error(), Errc::timed_out);
    EXPECT_EQ(subscriber.receive_until(-1ns).error(), Errc::timed_out);
    auto receiver = weft::spawn([&] { return subscriber.receive(); });
    weft::yield();
    receiver.cancel();
    EXPECT_EQ(receiver.join().error(), Errc::cancelled);
    EXPECT_EQ(weft::with_timeout(1ms, [&] { return subscriber.receive(); }).error(), Errc::timed_out);
    EXPECT_TRUE(channel.send(1));
    auto kept = std::make_shared<const int>(2);
    auto sender = weft::spawn([&] { return channel.send_shared(kept); });
    weft::yield();
    EXPECT_EQ(kept.use_count(), 2);
    sender.cancel();
    EXPECT_EQ(sender.join().error(), Errc::cancelled);
    EXPECT_EQ(kept.use_count(), 1);
    EXPECT_EQ(channel.send_shared_until(kept, 1ms).error(), Errc::timed_out);
    EXPECT_EQ(channel.try_send_shared(kept).error(), Errc::would_block);
    EXPECT_EQ(drain(subscriber), std::vector<int>{1});
    EXPECT_TRUE(channel.send_shared(kept));
    EXPECT_EQ(subscriber.receive().value(), kept);
  });
}

struct Immovable {
  explicit Immovable(int number) : value(number) {}
  Immovable(const Immovable&) = delete;
  int value;
};

struct Large {
  std::array<char, 1 << 20> bytes{};
};

struct alignas(256) Aligned {
  int value = 0;
};

struct ThrowsWhenCopied {
  ThrowsWhenCopied() = default;
  ThrowsWhenCopied(const ThrowsWhenCopied&) { throw std::runtime_error("no copy"); }
};

TEST(Broadcast, CarriesAnythingThatCanBeShared) {
  stranger::in_fiber([] {
    BroadcastChannel<Immovable> immovable(1);
    auto fixed = immovable.subscribe();
    EXPECT_TRUE(immovable.send_shared(std::make_shared<const Immovable>(3)));
    EXPECT_EQ((*fixed.receive())->value, 3);
    BroadcastChannel<std::unique_ptr<int>> unique(1);
    auto pointer = unique.subscribe();
    EXPECT_TRUE(unique.send(std::make_unique<int>(4)));
    EXPECT_EQ(***pointer.receive(), 4);
    BroadcastChannel<Large> large(2);
    auto big = large.subscribe();
    auto value = std::make_shared<Large>();
    value->bytes.back() = 'x';
    EXPECT_TRUE(large.send_shared(value));
    EXPECT_EQ((*big.receive())->bytes.back(), 'x');
    BroadcastChannel<Aligned> aligned(1);
    auto line = aligned.subscribe();
    EXPECT_TRUE(aligned.send(Aligned{5}));
    auto got = line.receive().value();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(got.get()) % 256, 0u);
    BroadcastChannel<ThrowsWhenCopied> throwing(1);
    auto listener = throwing.subscribe();
    const ThrowsWhenCopied source;
    EXPECT_THROW((void)throwing.send(source), std::runtime_error);
    EXPECT_EQ(listener.try_receive().error(), Errc::would_block) << "nothing was sent";
  });
}

TEST(Broadcast, OddCapacitiesAreRefused) {
  EXPECT_THROW(BroadcastChannel<int>(0), std::invalid_argument);
  EXPECT_THROW(BroadcastChannel<int>(std::size_t(-1)), std::length_error);
  EXPECT_THROW(BroadcastChannel<int>((std::size_t{1} << 31) + 1), std::length_error);
}

/// Sends into its own channel when it is destroyed.
struct Echo {
  BroadcastChannel<Echo>* channel = nullptr;
  ~Echo() {
    if (channel != nullptr) (void)channel->try_send(Echo{});
  }
};

TEST(Broadcast, AValuesDestructorMayUseTheChannel) {
  stranger::in_fiber([] {
    BroadcastChannel<Echo> channel(1, SlowSubscriber::kLosesOldest);
    auto subscriber = channel.subscribe();
    EXPECT_TRUE(channel.send_shared(std::make_shared<const Echo>(Echo{&channel})));
    EXPECT_TRUE(channel.send(Echo{})) << "which destroys the first one";
    EXPECT_EQ(subscriber.try_receive().error(), Errc::lagged);
    EXPECT_TRUE(channel.send_shared(std::make_shared<const Echo>(Echo{&channel})));
    subscriber.unsubscribe();
    auto next = channel.subscribe();
    EXPECT_EQ(next.try_receive().error(), Errc::would_block);
  });
}

TEST(Broadcast, IsABranchOfASelect) {
  stranger::in_fiber([] {
    BroadcastChannel<int> channel(1);
    auto subscriber = channel.subscribe();
    int got = 0, sent = 0;
    const auto take = [&](weft::Result<std::shared_ptr<const int>> value) { got = value ? **value : -1; };
    const auto never = [](auto&&...) { ADD_FAILURE(); };
    EXPECT_TRUE(weft::select(weft::receive(subscriber, never), weft::otherwise([] {})));
    EXPECT_TRUE(weft::select(weft::receive(subscriber, never), weft::send(channel, 1, [&] { ++sent; })));
    EXPECT_EQ(sent, 1);
    EXPECT_TRUE(weft::select(weft::receive(subscriber, take), weft::send(channel, 2, never)));
    EXPECT_EQ(got, 1);
    auto waits = weft::spawn(
        [&] { EXPECT_TRUE(weft::select(weft::receive(subscriber, take), weft::after(1h, never))); });
    weft::yield();
    EXPECT_TRUE(channel.send(3));
    waits.join_uncancellable();
    EXPECT_EQ(got, 3);
    EXPECT_TRUE(channel.send(4));
    auto kept = std::make_shared<const int>(5);
    auto offers = weft::spawn([&] {
      EXPECT_TRUE(weft::select(weft::send_shared(channel, kept, [&] { ++sent; }), weft::after(1h, never)));
    });
    weft::yield();
    EXPECT_EQ(**subscriber.receive(), 4);
    offers.join_uncancellable();
    EXPECT_EQ(sent, 2);
    EXPECT_EQ(subscriber.receive().value(), kept);
    channel.close();
    EXPECT_TRUE(weft::select(weft::receive(subscriber, take)));
    EXPECT_EQ(got, -1);
    weft::Result<void> told;
    EXPECT_TRUE(weft::select(weft::send(channel, 6, [&](weft::Result<void> result) { told = result; })));
    EXPECT_EQ(told.error(), Errc::closed);
    EXPECT_EQ(weft::select(weft::send(channel, 6, [] {})).error(), Errc::closed);
  });
}

TEST(Broadcast, ACloseEndsSelectsThatWait) {
  stranger::in_fiber([] {
    BroadcastChannel<int> channel(1);
    auto subscriber = channel.subscribe();
    auto full = channel.subscribe();
    EXPECT_TRUE(channel.send(1));
    EXPECT_EQ(**subscriber.receive(), 1);
    std::error_code received, sent;
    auto receives = weft::spawn(
        [&] { weft::select(weft::receive(subscriber, [&](auto value) { received = value.error(); })); });
    auto sends = weft::spawn([&] {
      weft::select(weft::send(channel, 2, [&](weft::Result<void> result) { sent = result.error(); }));
    });
    weft::yield();
    channel.close();
    receives.join_uncancellable();
    sends.join_uncancellable();
    EXPECT_EQ(received, Errc::closed);
    EXPECT_EQ(sent, Errc::closed);
  });
}

TEST(Broadcast, ServesPlainThreads) {
  BroadcastChannel<int> channel(2);
  std::vector<std::thread> threads;
  std::array<int, 3> sums{};
  for (auto& sum : sums) {
    threads.emplace_back([&sum, subscriber = channel.subscribe()]() mutable {
      for (const int value : subscriber) sum += value;
    });
  }
  for (int i = 1; i <= 1000; ++i) EXPECT_TRUE(channel.send(i));
  channel.close();
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(sums, (std::array<int, 3>{500500, 500500, 500500}));
}

TEST(BroadcastDeathTest, Misuse) {
  const auto misuse = [](auto body) { weft::run([&] { body(); }); };
  EXPECT_DEATH(misuse([] {
                 BroadcastChannel<int> channel(1);
                 auto subscriber = std::make_unique<BroadcastSubscriber<int>>(channel.subscribe());
                 weft::spawn([&] { (void)subscriber->receive(); });
                 weft::yield();
                 subscriber.reset();
               }),
               "a broadcast subscriber is destroyed or moved while somebody waits on it");
  EXPECT_DEATH(misuse([] {
                 BroadcastChannel<int> channel(1);
                 auto subscriber = channel.subscribe();
                 weft::spawn([&] { (void)subscriber.receive(); });
                 weft::yield();
                 auto moved = std::move(subscriber);
               }),
               "a broadcast subscriber is destroyed or moved while somebody waits on it");
  EXPECT_DEATH(misuse([] {
                 auto channel = std::make_unique<BroadcastChannel<int>>(1);
                 auto subscriber = channel->subscribe();
                 (void)channel->send(1);
                 weft::spawn([&] { (void)channel->send(2); });
                 weft::yield();
                 channel.reset();
               }),
               "a broadcast channel is destroyed while somebody waits to send");
  EXPECT_DEATH(misuse([] {
                 BroadcastChannel<int> channel(1);
                 auto subscriber = channel.subscribe();
                 auto moved = std::move(subscriber);
                 (void)subscriber.receive();  // NOLINT(bugprone-use-after-move)
               }),
               "used after it was moved from");
  EXPECT_DEATH(misuse([] { (void)BroadcastChannel<int>(1).send_shared(nullptr); }), "a null pointer is sent");
}

}  // namespace
