// SPDX-License-Identifier: Apache-2.0
// Lines that a peer can cause were written without a limit: a client could fill the log's disk.
#include "base/limited_log.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace weft {
namespace {

constexpr std::int64_t kSecond = LimitedLog::kIntervalNs;

int admitted_at(LimitedLog& log, std::int64_t now_ns, int lines) {
  int admitted = 0;
  for (int i = 0; i < lines; ++i) admitted += log.admit(now_ns).has_value() ? 1 : 0;
  return admitted;
}

TEST(LimitedLog, LetsABurstThroughAndThenOneLineASecond) {
  LimitedLog log;
  std::int64_t now = 1'000 * kSecond;
  EXPECT_EQ(admitted_at(log, now, 1000), LimitedLog::kBurst);
  for (int second = 0; second < 5; ++second) EXPECT_EQ(admitted_at(log, now += kSecond, 1000), 1);
  EXPECT_EQ(admitted_at(log, now + kSecond - 1, 1000), 0);
}

TEST(LimitedLog, SaysHowManyLinesWereLeftOut) {
  LimitedLog log;
  std::int64_t now = 1'000 * kSecond;
  for (int i = 0; i < LimitedLog::kBurst; ++i) EXPECT_EQ(log.admit(now), 0u);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(log.admit(now), std::nullopt);
  EXPECT_EQ(log.admit(now + kSecond), 7u);
  EXPECT_EQ(log.admit(now + kSecond), std::nullopt);
  EXPECT_EQ(log.admit(now + 2 * kSecond), 1u);
}

TEST(LimitedLog, AfterAQuietTimeThereIsRoomForABurstAgainAndForNoMore) {
  LimitedLog log;
  EXPECT_EQ(admitted_at(log, 1'000 * kSecond, 50), LimitedLog::kBurst);
  EXPECT_EQ(admitted_at(log, 5'000 * kSecond, 50), LimitedLog::kBurst);
}

}  // namespace
}  // namespace weft
