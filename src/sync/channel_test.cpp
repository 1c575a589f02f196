// SPDX-License-Identifier: Apache-2.0
// What a channel does with values, room and close().
#include "support/any_context.hpp"
#include "support/waiting.hpp"

#include <weft/channel.hpp>
#include <weft/this_fiber.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace weft {
namespace {

using test::Counted;
using test::spawn_waiting;

class ChannelTest : public test::InAnyContext {};

// -- values ------------------------------------------------------------------------------------------------

TEST_P(ChannelTest, ReceivesWhatWasSentInThatOrder) {
  run([] {
    for (std::size_t capacity : {0u, 1u, 3u, 64u}) {
      Channel<int> channel(capacity);
      auto sender = spawn([&] {
        for (int i = 0; i < 100; ++i) channel.send(i).value();
      });
      for (int i = 0; i < 100; ++i) ASSERT_EQ(channel.receive().value(), i) << "capacity " << capacity;
      sender.join_uncancellable();
      EXPECT_TRUE(channel.empty());
    }
  });
}

TEST_P(ChannelTest, MovesWhatCannotBeCopied) {
  run([] {
    Channel<std::unique_ptr<int>> channel(1);
    channel.send(std::make_unique<int>(1)).value();
    auto sender = spawn_waiting([&] { channel.send(std::make_unique<int>(2)).value(); });
    EXPECT_EQ(*channel.receive().value(), 1);
    EXPECT_EQ(*channel.receive().value(), 2);
    sender.join_uncancellable();
    auto receiver = spawn_waiting([&] { return *channel.receive().value(); });
    channel.send(std::make_unique<int>(3)).value();
    EXPECT_EQ(receiver.join_uncancellable(), 3);
  });
}

TEST_P(ChannelTest, CopiesAnLvalue) {
  run([] {
    Channel<std::string> channel(2);
    const std::string fixed = "a text that is longer than a string keeps inside";
    std::string own = fixed;
    channel.send(fixed).value();
    channel.send(own).value();
    EXPECT_EQ(own, fixed);
    EXPECT_EQ(channel.receive().value(), fixed);
    EXPECT_EQ(channel.receive().value(), fixed);
  });
}

struct alignas(128) Wide {
  std::uint64_t number;
};

TEST_P(ChannelTest, CarriesValuesOfAnySizeAndAlignment) {
  run([] {
    Channel<Wide> wide(3);
    Channel<char> narrow(3);
    struct Empty {};
    Channel<Empty> empty(3);
    for (std::uint64_t i = 0; i < 10; ++i) {
      wide.send({i}).value();
      narrow.send(static_cast<char>(i)).value();
      empty.send({}).value();
      const Result<Wide> received = wide.receive();
      EXPECT_EQ(received.value().number, i);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&*received) % alignof(Wide), 0u);
      EXPECT_EQ(narrow.receive().value(), static_cast<char>(i));
      EXPECT_TRUE(empty.receive());
    }
  });
}

/// So many bytes, all of which have to arrive; trivially copyable.
template <std::size_t kSize>
struct Bytes {
  std::uint8_t bytes[kSize];
  static Bytes of(std::size_t number) {
    Bytes made{};
    for (std::size_t i = 0; i < kSize; ++i) made.bytes[i] = static_cast<std::uint8_t>(number * 31 + i + 1);
    return made;
  }
  friend bool operator==(const Bytes& one, const Bytes& other) = default;
};

/// Through a buffer that goes round, to a waiting receiver, and from a waiting sender.
template <class T>
void carries_all_of(const std::function<T(std::size_t)>& of) {
  Channel<T> buffer(3);
  for (std::size_t i = 0; i < 10; ++i) {
    buffer.send(of(i)).value();
    EXPECT_TRUE(buffer.receive().value() == of(i));
  }
  Channel<T> rendezvous;
  auto receiver = spawn_waiting([&] { return rendezvous.receive().value(); });
  rendezvous.send(of(1)).value();
  EXPECT_TRUE(receiver.join_uncancellable() == of(1));
  auto sender = spawn_waiting([&] { rendezvous.send(of(2)).value(); });
  EXPECT_TRUE(rendezvous.receive().value() == of(2));
  sender.join_uncancellable();
}

TEST_P(ChannelTest, CarriesEveryByteOfWhatIsMovedByCopyingIt) {
  run([] {
    carries_all_of<Bytes<1>>(Bytes<1>::of);
    carries_all_of<Bytes<3>>(Bytes<3>::of);
    carries_all_of<Bytes<4>>(Bytes<4>::of);
    carries_all_of<Bytes<8>>(Bytes<8>::of);
    carries_all_of<Bytes<12>>(Bytes<12>::of);
    carries_all_of<double>([](std::size_t number) { return 0.1 * static_cast<double>(number); });
  });
}

TEST_P(ChannelTest, DestroysEachValueOnceWhateverBecameOfIt) {
  const int before = Counted::live();
  run([before] {
    {
      Channel<Counted> channel(4);
      for (int i = 0; i < 4; ++i) channel.send(Counted(i)).value();
      EXPECT_EQ(Counted::live(), before + 4);
      EXPECT_EQ(channel.receive().value().value(), 0);
      EXPECT_EQ(Counted::live(), before + 3);
      auto sender = spawn([&] { return channel.send(Counted(4)).has_value(); });
      EXPECT_TRUE(sender.join_uncancellable());
      auto refused = spawn_waiting([&] { return channel.send(Counted(5)).error(); });
      channel.close();
      EXPECT_EQ(refused.join_uncancellable(), Errc::closed);
      EXPECT_EQ(Counted::live(), before + 4);
    }
    EXPECT_EQ(Counted::live(), before);
  });
}

// -- room --------------------------------------------------------------------------------------------------

TEST_P(ChannelTest, OfCapacityZeroIsARendezvous) {
  run([] {
    Channel<int> channel;
    EXPECT_EQ(channel.capacity(), 0u);
    EXPECT_EQ(channel.try_send(1).error(), Errc::would_block);
    EXPECT_EQ(channel.try_receive().error(), Errc::would_block);
    Atomic<bool> sent{false};
    auto sender = spawn_waiting([&] {
      channel.send(1).value();
      sent.store(true, seq_cst);
    });
    EXPECT_FALSE(sent.load(seq_cst));
    EXPECT_EQ(channel.size(), 0u);
    EXPECT_EQ(channel.receive().value(), 1);
    sender.join_uncancellable();
    EXPECT_TRUE(sent.load(seq_cst));
  });
}

TEST_P(ChannelTest, WithRoomLetsSendersGoOnUntilItIsFull) {
  run([] {
    Channel<int> channel(3);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(channel.size(), static_cast<std::size_t>(i));
      EXPECT_TRUE(channel.try_send(i));
    }
    EXPECT_EQ(channel.try_send(3).error(), Errc::would_block);
    auto sender = spawn_waiting([&] { channel.send(3).value(); });
    EXPECT_EQ(channel.size(), 3u);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(channel.try_receive().value(), i);
    sender.join_uncancellable();
    EXPECT_EQ(channel.try_receive().error(), Errc::would_block);
  });
}

TEST_P(ChannelTest, TriesFindTheOtherSideWaiting) {
  run([] {
    Channel<int> channel;
    auto receiver = spawn_waiting([&] { return channel.receive().value(); });
    EXPECT_TRUE(channel.try_send(7));
    EXPECT_EQ(receiver.join_uncancellable(), 7);
    auto sender = spawn_waiting([&] { channel.send(8).value(); });
    EXPECT_EQ(channel.try_receive().value(), 8);
    sender.join_uncancellable();
  });
}

TEST_P(ChannelTest, ServesWaitingReceiversAndSendersInTheOrderTheyCame) {
  run([] {
    Channel<int> channel(1);
    std::vector<JoinHandle<int>> receivers;
    for (int i = 0; i < 5; ++i) {
      receivers.push_back(spawn_waiting([&] { return channel.receive().value(); }));
    }
    for (int i = 0; i < 5; ++i) channel.send(i).value();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(receivers[static_cast<std::size_t>(i)].join_uncancellable(), i);

    channel.send(0).value();
    std::vector<JoinHandle<void>> senders;
    for (int i = 1; i < 5; ++i) senders.push_back(spawn_waiting([&, i] { channel.send(i).value(); }));
    for (int i = 0; i < 5; ++i) EXPECT_EQ(channel.receive().value(), i);
    for (auto& sender : senders) sender.join_uncancellable();
  });
}

TEST_P(ChannelTest, ValuesOfWaitingSendersComeAfterThoseInside) {
  run([] {
    Channel<int> channel(2);
    channel.send(0).value();
    channel.send(1).value();
    auto first = spawn_waiting([&] { channel.send(2).value(); });
    auto second = spawn_waiting([&] { channel.send(3).value(); });
    EXPECT_EQ(channel.receive().value(), 0);
    first.join_uncancellable();
    EXPECT_EQ(channel.size(), 2u);
    EXPECT_EQ(channel.try_send(9).error(), Errc::would_block);  // the second sender was first
    for (int i = 1; i < 4; ++i) EXPECT_EQ(channel.receive().value(), i);
    second.join_uncancellable();
  });
}

// -- close -------------------------------------------------------------------------------------------------

TEST_P(ChannelTest, ClosedLetsReceiversDrainItFirst) {
  run([] {
    Channel<int> channel(3);
    channel.send(1).value();
    channel.send(2).value();
    EXPECT_FALSE(channel.closed());
    EXPECT_TRUE(channel.close());
    EXPECT_TRUE(channel.closed());
    EXPECT_EQ(channel.size(), 2u);
    EXPECT_EQ(channel.receive().value(), 1);
    EXPECT_EQ(channel.try_receive().value(), 2);
    EXPECT_EQ(channel.receive().error(), Errc::closed);
    EXPECT_EQ(channel.try_receive().error(), Errc::closed);
    EXPECT_EQ(channel.receive_until(Deadline::never()).error(), Errc::closed);
  });
}

TEST_P(ChannelTest, ClosedRefusesValuesAndLeavesThemToTheirSenders) {
  run([] {
    Channel<std::unique_ptr<int>> channel(3);
    channel.close();
    auto value = std::make_unique<int>(1);
    EXPECT_EQ(channel.send(std::move(value)).error(), Errc::closed);
    EXPECT_EQ(channel.try_send(std::move(value)).error(), Errc::closed);
    EXPECT_EQ(channel.send_until(std::move(value), Deadline::never()).error(), Errc::closed);
    EXPECT_TRUE(value);
    EXPECT_EQ(channel.receive().error(), Errc::closed);
  });
}

TEST_P(ChannelTest, CloseWakesEveryWaitingReceiver) {
  run([] {
    for (std::size_t capacity : {0u, 2u}) {
      Channel<int> channel(capacity);
      std::vector<JoinHandle<std::error_code>> receivers;
      for (int i = 0; i < 5; ++i) {
        receivers.push_back(spawn_waiting([&] { return channel.receive().error(); }));
      }
      channel.close();
      for (auto& receiver : receivers) EXPECT_EQ(receiver.join_uncancellable(), Errc::closed);
    }
  });
}

TEST_P(ChannelTest, CloseWakesEveryWaitingSenderWhichKeepsItsValue) {
  run([] {
    for (std::size_t capacity : {0u, 2u}) {
      Channel<std::unique_ptr<int>> channel(capacity);
      for (std::size_t i = 0; i < capacity; ++i) channel.send(std::make_unique<int>(0)).value();
      std::vector<JoinHandle<bool>> senders;
      for (int i = 0; i < 5; ++i) {
        senders.push_back(spawn_waiting([&] {
          auto value = std::make_unique<int>(1);
          return channel.send(std::move(value)).error() == Errc::closed && value != nullptr;
        }));
      }
      channel.close();
      for (auto& sender : senders) EXPECT_TRUE(sender.join_uncancellable());
      std::size_t drained = 0;
      while (channel.receive()) ++drained;
      EXPECT_EQ(drained, capacity);
    }
  });
}

TEST_P(ChannelTest, IsClosedByTheFirstCloseOnly) {
  run([] {
    Channel<int> channel(1);
    channel.send(1).value();
    EXPECT_TRUE(channel.close());
    EXPECT_FALSE(channel.close());
    EXPECT_EQ(channel.receive().value(), 1);
    EXPECT_FALSE(channel.close());
  });
}

TEST_P(ChannelTest, MayBeDestroyedByWhoeverReceivedTheLastValue) {
  run([] {
    for (int i = 0; i < 200; ++i) {
      auto channel = std::make_unique<Channel<int>>(i % 2);
      auto sender = spawn([&channel = *channel, i] { channel.send(i).value(); });
      ASSERT_EQ(channel->receive().value(), i);
      channel.reset();
      sender.join_uncancellable();
    }
  });
}

// -- range-for ---------------------------------------------------------------------------------------------

TEST_P(ChannelTest, IsARangeThatEndsWhenItIsClosedAndDrained) {
  run([] {
    Channel<std::unique_ptr<int>> channel(2);
    auto sender = spawn([&] {
      for (int i = 0; i < 10; ++i) channel.send(std::make_unique<int>(i)).value();
      channel.close();
    });
    int expected = 0;
    for (std::unique_ptr<int>& value : channel) EXPECT_EQ(*value, expected++);
    EXPECT_EQ(expected, 10);
    sender.join_uncancellable();
    for (std::unique_ptr<int>& value : channel) ADD_FAILURE() << *value;
  });
}

TEST_P(ChannelTest, SharesItsRangeAmongSeveralReceivers) {
  run([] {
    Channel<int> channel(4);
    std::vector<JoinHandle<int>> receivers;
    for (int i = 0; i < 4; ++i) {
      receivers.push_back(spawn([&] {
        int sum = 0;
        for (int value : channel) sum += value;
        return sum;
      }));
    }
    for (int i = 1; i <= 1000; ++i) channel.send(i).value();
    channel.close();
    int sum = 0;
    for (auto& receiver : receivers) sum += receiver.join_uncancellable();
    EXPECT_EQ(sum, 500'500);
  });
}

INSTANTIATE_TEST_SUITE_P(, ChannelTest, test::all_placements(), test::kind_name);

TEST(ChannelOf, TooManyValuesIsRefused) {
  EXPECT_THROW(Channel<int> channel((std::size_t{1} << 31) + 1), std::length_error);
  EXPECT_THROW(Channel<int> channel(std::numeric_limits<std::size_t>::max()), std::length_error);
}

}  // namespace
}  // namespace weft
