// SPDX-License-Identifier: Apache-2.0
// What wrk, strace and servers print.
#include "server_process.hpp"
#include "syscall_trace.hpp"
#include "wrk.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace weft::tool::compare {
namespace {

TEST(Wrk, LatenciesAreReadFromTheLineOfTheScript) {
  const Latencies latencies = parse_latencies(
      "Running 100h test @ http://127.0.0.1:1/\n  1 threads and 4 connections\n"
      "weft-latencies 120 450 1900 54321 2\n");
  EXPECT_DOUBLE_EQ(latencies.p50_us, 120);
  EXPECT_DOUBLE_EQ(latencies.p99_us, 450);
  EXPECT_DOUBLE_EQ(latencies.p999_us, 1900);
  EXPECT_EQ(latencies.requests, 54321u);
  EXPECT_EQ(latencies.errors, 2u);
}

TEST(Wrk, WhatIsNoReportIsSaid) {
  EXPECT_THROW(parse_latencies("unable to connect to 127.0.0.1:1 Connection refused\n"), std::runtime_error);
  EXPECT_THROW(parse_latencies("weft-latencies 120 4"), std::runtime_error);
}

constexpr const char* kTable =
    "% time     seconds  usecs/call     calls    errors syscall\n"
    "------ ----------- ----------- --------- --------- ----------------\n"
    " 41.58    0.153512          11     13217           sendto\n"
    " 30.00    0.110000           8     13250        33 recvfrom\n"
    " 20.00    0.070000         100       700           epoll_pwait2\n"
    "  1.00    0.000100          10        12         3 futex\n"
    "  1.00    0.000100          10       100           io_uring_enter\n"
    "  0.50    0.000050           5         7           read\n"
    "  0.50    0.000050           5         8           write\n"
    "------ ----------- ----------- --------- --------- ----------------\n"
    "100.00    0.333712          10     27194        36 total\n";

TEST(SyscallTrace, EachSyscallIsCountedWhetherOrNotItFailed) {
  const SyscallCounts counts = parse_syscalls(kTable);
  EXPECT_EQ(counts.size(), 7u);
  EXPECT_EQ(counts.at("sendto"), 13217u);
  EXPECT_EQ(counts.at("recvfrom"), 13250u);
}

TEST(SyscallTrace, SocketsAndEventFdsAreToldApart) {
  const SyscallGroups groups = grouped(parse_syscalls(kTable));
  EXPECT_EQ(groups.read, 13250u);
  EXPECT_EQ(groups.write, 13317u);
  EXPECT_EQ(groups.event_fd, 15u);
  EXPECT_EQ(groups.epoll_wait, 700u);
  EXPECT_EQ(groups.epoll_ctl, 0u);
  EXPECT_EQ(groups.futex, 12u);
}

TEST(Counters, TotalsAreNamedByTheirGroups) {
  const Counters counters = parse_counters(
      R"({"contexts": [],
          "total": {"event_loop": {"polls": 7}, "scheduler": {"steals": 3}, "more": {"x": "y"}}})");
  EXPECT_EQ(counters.size(), 2u);
  EXPECT_DOUBLE_EQ(counters.at("event_loop.polls"), 7);
  EXPECT_DOUBLE_EQ(counters.at("scheduler.steals"), 3);
}

TEST(Counters, WhatIsNotOursIsRefused) {
  EXPECT_THROW(parse_counters("Hello world!"), std::runtime_error);
  EXPECT_THROW(parse_counters("{}"), std::runtime_error);
}

TEST(ServerProcess, TheLastLineIsTheReason) {
  EXPECT_EQ(last_line("one\ntwo\n\n", "nothing"), "two");
  EXPECT_EQ(last_line("", "nothing"), "nothing");
}

}  // namespace
}  // namespace weft::tool::compare
