// SPDX-License-Identifier: Apache-2.0
// Broadcast channels in every context: what meets what, and that each subscriber sees the same sequence.
#include <weft/broadcast_channel.hpp>

#include "support/any_context.hpp"
#include "support/branches.hpp"
#include "support/waiting.hpp"

#include <weft/select.hpp>
#include <weft/this_fiber.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::spawn_waiting;

using Values = std::vector<int>;

class BroadcastTest : public test::InAnyContext {};

Values all_of(BroadcastSubscriber<int> subscriber) {
  Values values;
  for (const int value : subscriber) values.push_back(value);
  return values;
}

TEST_P(BroadcastTest, EverySubscriberSeesAllValuesOfManySendersInOneOrder) {
  run([] {
    for (const std::size_t capacity : {std::size_t{1}, std::size_t{2}, std::size_t{64}}) {
      BroadcastChannel<int> channel(capacity);
      std::vector<JoinHandle<Values>> receivers;
      for (int i = 0; i < 4; ++i) {
        receivers.push_back(
            spawn([subscriber = channel.subscribe()]() mutable { return all_of(std::move(subscriber)); }));
      }
      std::vector<JoinHandle<void>> senders;
      for (int sender = 0; sender < 3; ++sender) {
        senders.push_back(spawn([&channel, sender] {
          for (int i = 0; i < 200; ++i) ASSERT_TRUE(channel.send(sender * 1000 + i));
        }));
      }
      for (auto& sender : senders) sender.join_uncancellable();
      channel.close();
      const Values first = receivers[0].join_uncancellable();
      int next[] = {0, 1000, 2000};
      for (const int value : first) EXPECT_EQ(value, next[value / 1000]++);
      EXPECT_EQ(first.size(), 600u);
      for (std::size_t i = 1; i < receivers.size(); ++i) EXPECT_EQ(receivers[i].join_uncancellable(), first);
    }
  });
}

TEST_P(BroadcastTest, WhatASlowOneHasLostAndReceivedIsAllThatWasSent) {
  run([] {
    BroadcastChannel<int> channel(4, SlowSubscriber::kLosesOldest);
    std::vector<JoinHandle<std::uint64_t>> receivers;
    for (int i = 0; i < 4; ++i) {
      receivers.push_back(spawn([i, subscriber = channel.subscribe()]() mutable {
        std::uint64_t received = 0;
        int last = -1;
        for (const int value : subscriber) {
          EXPECT_GT(value, last);
          last = value;
          ++received;
          if (i % 2 == 0) yield();
        }
        return received + subscriber.lost();
      }));
    }
    for (int i = 0; i < 2000; ++i) {
      ASSERT_TRUE(channel.send(i));
      if (i % 7 == 0) yield();
    }
    channel.close();
    for (auto& receiver : receivers) EXPECT_EQ(receiver.join_uncancellable(), 2000u);
  });
}

// A sender waits for one that leaves, in each way.
TEST_P(BroadcastTest, ASubscriberThatLeavesLetsAllSendersThatWaitedForItGoOn) {
  run([] {
    BroadcastChannel<int> channel(2);
    auto slow = std::make_unique<BroadcastSubscriber<int>>(channel.subscribe());
    auto other = channel.subscribe();
    channel.send(-2).value();
    channel.send(-1).value();
    std::vector<JoinHandle<void>> senders;
    for (int i = 0; i < 600; ++i)
      senders.push_back(spawn_waiting([&channel, i] { EXPECT_TRUE(channel.send(i)); }));
    for (int i = -2; i < 0; ++i) EXPECT_EQ(**other.try_receive(), i);
    EXPECT_EQ(other.try_receive().error(), Errc::would_block);
    slow.reset();
    for (int i = 0; i < 600; ++i) EXPECT_EQ(**other.receive(), i);
    for (auto& sender : senders) sender.join_uncancellable();
  });
}

TEST_P(BroadcastTest, TheLastToLeaveLeavesNobodyWaiting) {
  run([] {
    BroadcastChannel<int> channel(1);
    auto only = channel.subscribe();
    channel.send(0).value();
    std::vector<JoinHandle<void>> senders;
    for (int i = 0; i < 600; ++i)
      senders.push_back(spawn_waiting([&channel] { EXPECT_TRUE(channel.send(1)); }));
    only.unsubscribe();
    for (auto& sender : senders) sender.join_uncancellable();
    auto next = channel.subscribe();
    EXPECT_EQ(next.size(), 0u);
  });
}

TEST_P(BroadcastTest, OneThatIsLateToLeaveKeepsNothingFromTheOthers) {
  run([] {
    BroadcastChannel<int> channel(2000);
    auto late = channel.subscribe();
    auto quick = channel.subscribe();
    for (int i = 0; i < 2000; ++i) {
      channel.send(i).value();
      EXPECT_EQ(**quick.receive(), i);
    }
    EXPECT_EQ(channel.try_send(0).error(), Errc::would_block);
    late.unsubscribe();
    for (int i = 0; i < 2000; ++i) EXPECT_TRUE(channel.try_send(i));
    EXPECT_EQ(channel.try_send(0).error(), Errc::would_block);
    for (int i = 0; i < 2000; ++i) EXPECT_EQ(**quick.receive(), i);
  });
}

TEST_P(BroadcastTest, SubscribersComeAndGoWhileValuesAreSent) {
  run([] {
    for (const auto slow : {SlowSubscriber::kSenderWaits, SlowSubscriber::kLosesOldest}) {
      BroadcastChannel<int> channel(3, slow);
      std::vector<JoinHandle<void>> guests;
      for (int i = 0; i < 8; ++i) {
        guests.push_back(spawn([&channel] {
          for (int n = 0; n < 40; ++n) {
            auto subscriber = channel.subscribe();
            int last = -1;
            for (int k = 0; k < n % 5; ++k) {
              const auto value = subscriber.receive();
              if (!value && value.error() == Errc::lagged) continue;
              if (!value) return;
              EXPECT_GT(**value, last);
              last = **value;
            }
          }
        }));
      }
      auto sender = spawn([&channel] {
        for (int i = 0; channel.send(i); ++i) {
          if (i % 3 == 0) yield();
        }
      });
      for (auto& guest : guests) guest.join_uncancellable();
      channel.close();
      sender.join_uncancellable();
      EXPECT_EQ(channel.subscribers(), 0u);
    }
  });
}

TEST_P(BroadcastTest, SeveralFibersOnOneSubscriberShareItsValues) {
  run([] {
    BroadcastChannel<int> channel(4);
    auto subscriber = channel.subscribe();
    std::vector<JoinHandle<int>> workers;
    for (int i = 0; i < 4; ++i) {
      workers.push_back(spawn([&] {
        int sum = 0;
        for (const int value : subscriber) sum += value;
        return sum;
      }));
    }
    for (int i = 1; i <= 400; ++i) ASSERT_TRUE(channel.send(i));
    channel.close();
    int sum = 0;
    for (auto& worker : workers) sum += worker.join_uncancellable();
    EXPECT_EQ(sum, 400 * 401 / 2);
  });
}

TEST_P(BroadcastTest, SelectsSendAndReceiveTheSameAsCalls) {
  run([] {
    BroadcastChannel<int> left(1), right(1);
    auto from_left = left.subscribe();
    auto from_right = right.subscribe();
    auto sender = spawn([&] {
      for (int i = 0; i < 400; ++i) ASSERT_TRUE(select(send(left, i, [] {}), send(right, i, [] {})));
      left.close();
      right.close();
    });
    Values got;
    bool open_left = true, open_right = true;
    const auto take = [&](bool& open) {
      return [&](Result<std::shared_ptr<const int>> value) {
        value ? got.push_back(**value) : void(open = false);
      };
    };
    while (open_left || open_right) {
      if (open_left && open_right) {
        select(receive(from_left, take(open_left)), receive(from_right, take(open_right)));
      } else if (open_left) {
        select(receive(from_left, take(open_left)));
      } else {
        select(receive(from_right, take(open_right)));
      }
    }
    sender.join_uncancellable();
    std::sort(got.begin(), got.end());
    ASSERT_EQ(got.size(), 400u);
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], static_cast<int>(i));
  });
}

TEST_P(BroadcastTest, TheReceiverOfAValueMayDestroyTheChannelWhileTheSendReturns) {
  run([] {
    for (int i = 0; i < 100; ++i) {
      auto channel = std::make_unique<BroadcastChannel<int>>(1);
      auto subscriber = channel->subscribe();
      auto sender = spawn([raw = channel.get(), i] { EXPECT_TRUE(raw->send(i)); });
      EXPECT_EQ(**subscriber.receive(), i);
      channel.reset();
      sender.join_uncancellable();
    }
  });
}

INSTANTIATE_TEST_SUITE_P(, BroadcastTest, test::all_placements(), test::kind_name);

}  // namespace
}  // namespace weft
