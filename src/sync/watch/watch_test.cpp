// SPDX-License-Identifier: Apache-2.0
// Watch channels in every context: no change is missed, and none is seen twice.
#include <weft/watch_channel.hpp>

#include "support/any_context.hpp"
#include "support/waiting.hpp"

#include <weft/select.hpp>
#include <weft/this_fiber.hpp>

#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace weft {
namespace {

using namespace std::chrono_literals;
using test::spawn_waiting;

class WatchTest : public test::InAnyContext {};

TEST_P(WatchTest, EveryReceiverEndsWithTheLastValueAndSeesNoneTwice) {
  run([] {
    WatchChannel<int> channel(0);
    std::vector<JoinHandle<int>> receivers;
    for (int i = 0; i < 6; ++i) {
      receivers.push_back(spawn([i, receiver = channel.subscribe()]() mutable {
        int last = 0;
        for (;;) {
          Result<std::shared_ptr<const int>> value = Errc::closed;
          if (i % 2 == 0) {
            value = receiver.changed();
          } else {
            select(
                changed(receiver, [&](Result<std::shared_ptr<const int>> got) { value = std::move(got); }));
          }
          if (!value) return last;
          EXPECT_GT(**value, last);
          last = **value;
        }
      }));
    }
    for (int i = 1; i <= 1000; ++i) {
      ASSERT_TRUE(channel.send(i));
      if (i % 5 == 0) yield();
    }
    channel.close();
    for (auto& receiver : receivers) EXPECT_EQ(receiver.join_uncancellable(), 1000);
  });
}

TEST_P(WatchTest, EachOfSeveralOnOneReceiverIsGivenOtherVersions) {
  run([] {
    WatchChannel<int> channel(0);
    auto shared = channel.subscribe();
    std::vector<JoinHandle<std::vector<int>>> fibers;
    for (int i = 0; i < 4; ++i) {
      fibers.push_back(spawn([&] {
        std::vector<int> seen;
        while (auto value = shared.changed()) seen.push_back(**value);
        return seen;
      }));
    }
    for (int i = 1; i <= 300; ++i) {
      ASSERT_TRUE(channel.send(i));
      yield();
    }
    channel.close();
    std::vector<int> times(301);
    for (auto& fiber : fibers) {
      for (const int value : fiber.join_uncancellable()) ++times[static_cast<std::size_t>(value)];
    }
    for (std::size_t i = 1; i <= 300; ++i) EXPECT_LE(times[i], 1);
    EXPECT_EQ(times[300], 1);
  });
}

TEST_P(WatchTest, TwoTalkThroughTwoChannels) {
  run([] {
    WatchChannel<int> question(0), answer(0);
    auto asked = question.subscribe();
    auto answered = answer.subscribe();
    auto other = spawn([&] {
      while (auto value = asked.changed()) ASSERT_TRUE(answer.send(**value * 2));
    });
    for (int i = 1; i <= 300; ++i) {
      ASSERT_TRUE(question.send(i));
      EXPECT_EQ(**answered.changed(), 2 * i);
    }
    question.close();
    other.join_uncancellable();
  });
}

TEST_P(WatchTest, CancelsDeadlinesAndChangesMeet) {
  run([] {
    WatchChannel<int> channel(0);
    std::vector<JoinHandle<void>> fibers;
    for (int i = 0; i < 12; ++i) {
      fibers.push_back(spawn([i, receiver = channel.subscribe()]() mutable {
        int last = 0;
        for (;;) {
          const auto value =
              receiver.changed_until(i % 3 == 0 ? Deadline::after_ns(1000) : Deadline::never());
          if (!value && value.error() == Errc::timed_out) continue;
          if (!value) return;
          EXPECT_GT(**value, last);
          last = **value;
        }
      }));
    }
    for (int i = 1; i <= 200; ++i) {
      ASSERT_TRUE(channel.send(i));
      if (i % 20 == 0) fibers[static_cast<std::size_t>(i / 20)].cancel();
      yield();
    }
    channel.close();
    for (auto& fiber : fibers) fiber.join_uncancellable();
  });
}

TEST_P(WatchTest, ThousandsAreToldOfACloseAndOfTheEnd) {
  run([] {
    auto channel = std::make_unique<WatchChannel<int>>(0);
    std::vector<JoinHandle<void>> fibers;
    for (int i = 0; i < 1200; ++i) {
      fibers.push_back(spawn_waiting([receiver = channel->subscribe()]() mutable {
        EXPECT_EQ(receiver.changed().error(), Errc::closed);
      }));
    }
    channel.reset();
    for (auto& fiber : fibers) fiber.join_uncancellable();
  });
}

INSTANTIATE_TEST_SUITE_P(, WatchTest, test::all_placements(), test::kind_name);

}  // namespace
}  // namespace weft
