// SPDX-License-Identifier: Apache-2.0
// Law L6 with deadlines from the ends of their type: whatever the number, the wait ends by it, and no other
// timer of the loop is disturbed. Run under UBSan: no difference of two times overflows.
#include "support/laws.hpp"
#include "support/strategies.hpp"

#include <limits>

namespace weft::test {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

class ExtremeDeadlines : public testing::TestWithParam<Strategy> {
 protected:
  ConcurrentContext context_{"extreme", {.strategy = GetParam()}};
};

TEST_P(ExtremeDeadlines, L6_APassedDeadlineEndsItsWaitAndDisturbsNoOther) {
  const Connection connection = tcp_connection();
  context_
      .spawn([&] {
        auto beside = spawn([] { return sleep(1ms); });
        for (const std::int64_t time_ns : {kMin, kMin + 1, kMin / 2, std::int64_t{-1}, std::int64_t{0}}) {
          EXPECT_EQ(connection.near.read(1, Deadline::at_ns(time_ns)).error(), Errc::timed_out) << time_ns;
          EXPECT_TRUE(sleep_until(Deadline::at_ns(time_ns)));
          EXPECT_TRUE(sleep(1us));
        }
        EXPECT_TRUE(beside.join_uncancellable());
      })
      .join_uncancellable();
  EXPECT_TRUE(connection.near.close());
}

TEST_P(ExtremeDeadlines, L6_AFarDeadlineLetsNearerOnesAndReadinessComeFirst) {
  const Connection connection = tcp_connection();
  for (const std::int64_t time_ns : {kMax, kMax - 1, kMax / 2}) {
    auto reader = context_.spawn([&, time_ns] {
      auto far = spawn([time_ns] { return sleep_until(Deadline::at_ns(time_ns)); });
      EXPECT_TRUE(sleep(1us));
      far.cancel();
      EXPECT_EQ(far.join_uncancellable().error(), Errc::cancelled);
      return connection.near.read(1, Deadline::at_ns(time_ns));
    });
    connection.near.until_awaited(Direction::kRead);
    connection.far.send("x");
    EXPECT_EQ(reader.join_uncancellable().value(), "x");
  }
  EXPECT_TRUE(connection.near.close());
}

INSTANTIATE_TEST_SUITE_P(, ExtremeDeadlines,
                         testing::ValuesIn(Strategy::named().begin(), Strategy::named().end()),
                         strategy_name);

}  // namespace
}  // namespace weft::test
