// SPDX-License-Identifier: Apache-2.0
#include "fleet_rows.hpp"
#include "scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace weft::tool::compare {
namespace {

Measured measured_example() {
  Measured member{.entry = {.row = {.strategy = "lifetime", .threads = 2}, .launch = {}, .cpus = {}}};
  for (int i = 1; i <= 5; ++i)
    member.turns.push_back({.requests = 1000.0 * i, .seconds = 0.1 * i, .server_cpu_us = 4000.0 * i});
  member.ratios.assign(5, {.requests_per_second = 1.2, .cpu = 0.8});
  member.latencies = {{.p50_us = 100, .p99_us = 200, .p999_us = 300, .requests = 10},
                      {.p50_us = 300, .p99_us = 400, .p999_us = 500, .requests = 10}};
  member.counted_requests = 1000;
  member.before = {{"event_loop.polls", 100}, {"scheduler.steals", 5}};
  member.after = {{"event_loop.polls", 350}, {"scheduler.steals", 5}};
  return member;
}

double value(const Row& row, const char* key) { return row.figures.at(key).value; }

TEST(FleetRows, TurnsBecomeRatesAndCostsForEachRequest) {
  Row row{.strategy = "lifetime"};
  fill_row(row, measured_example(), false);
  EXPECT_DOUBLE_EQ(value(row, "requests_per_second"), 10'000);
  EXPECT_DOUBLE_EQ(value(row, "cpu_us_per_request"), 4);
  EXPECT_DOUBLE_EQ(value(row, "cpu_ratio"), 0.8);
  EXPECT_DOUBLE_EQ(row.figures.at("cpu_ratio").low.value(), 0.8);
  EXPECT_DOUBLE_EQ(value(row, "p50_us"), 200);
  EXPECT_DOUBLE_EQ(value(row, "p999_us"), 400);
}

TEST(FleetRows, CountersAreShownForEachRequestIfTheServerHasThem) {
  Row row{.strategy = "lifetime"};
  fill_row(row, measured_example(), false);
  EXPECT_DOUBLE_EQ(value(row, "epoll_wait"), 0.25);
  EXPECT_DOUBLE_EQ(value(row, "steals"), 0);
  EXPECT_EQ(row.figure("transfers"), nullptr);
}

TEST(FleetRows, TracedSyscallsFillInWhatNoCounterTells) {
  Measured member = measured_example();
  member.syscalls = SyscallGroups{.read = 200, .write = 100, .epoll_ctl = 50, .epoll_wait = 999, .futex = 1};
  member.traced_requests = 100;
  Row row{.strategy = "lifetime"};
  fill_row(row, member, false);
  EXPECT_DOUBLE_EQ(value(row, "read"), 2);
  EXPECT_DOUBLE_EQ(value(row, "epoll_ctl"), 0.5);
  EXPECT_DOUBLE_EQ(value(row, "epoll_wait"), 0.25) << "of the counters: strace slows down, and so changes it";
}

TEST(FleetRows, TheReferenceIsOneExactly) {
  Row row{.strategy = kReference};
  Measured member = measured_example();
  member.ratios.clear();
  fill_row(row, member, true);
  EXPECT_DOUBLE_EQ(value(row, "cpu_ratio"), 1);
  EXPECT_FALSE(row.figures.at("cpu_ratio").low);
}

TEST(FleetRows, DisturbedTurnsAreLeftOutUnlessMostAre) {
  Measured member = measured_example();
  member.ratios.push_back({.requests_per_second = 9, .cpu = 9, .disturbed = true});
  Row few{.strategy = "lifetime"};
  fill_row(few, member, false);
  EXPECT_DOUBLE_EQ(few.figures.at("cpu_ratio").high.value(), 0.8);
  member.ratios.assign(6, {.requests_per_second = 9, .cpu = 9, .disturbed = true});
  Row all{.strategy = "lifetime"};
  fill_row(all, member, false);
  EXPECT_DOUBLE_EQ(value(all, "cpu_ratio"), 9);
}

TEST(FleetRows, WhatIsNotAvailableHasNoFigures) {
  Row row{.strategy = "broadcast", .not_available = "no"};
  fill_row(row, measured_example(), false);
  EXPECT_TRUE(row.figures.empty());
}

TEST(FleetRows, EveryFigureHasAColumn) {
  Measured member = measured_example();
  member.syscalls = SyscallGroups{};
  member.traced_requests = 1;
  Row row{.strategy = "lifetime"};
  fill_row(row, member, false);
  for (const auto& figure : row.figures) {
    const auto columns = fleet_columns();
    EXPECT_TRUE(std::any_of(columns.begin(), columns.end(), [&](const Column& column) {
      return column.key == figure.first;
    })) << figure.first;
  }
}

TEST(Scenario, CpuOfTwoStrategiesIsComparedAtEachThreadCountThatHasBoth) {
  Report report;
  report.rows = {
      {.strategy = "a", .threads = 1}, {.strategy = "b", .threads = 1}, {.strategy = "a", .threads = 2}};
  report.rows[0].figures["cpu_ratio"] = {1.2};
  report.rows[1].figures["cpu_ratio"] = {1.0};
  report.rows[2].figures["cpu_ratio"] = {1.5};
  EXPECT_EQ(cpu_comparison(report, "a", "b"), "CPU per request of a over that of b: 1.20 at 1 thread");
  EXPECT_EQ(cpu_comparison(report, "a", "c"), "");
}

}  // namespace
}  // namespace weft::tool::compare
