// SPDX-License-Identifier: Apache-2.0
#include "sys/thread.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/io.hpp"

#include <algorithm>
#include <csignal>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::sys {
namespace {

std::string name_in_proc(pid_t thread) {
  return read_text_file(("/proc/self/task/" + std::to_string(thread) + "/comm").c_str()).value();
}

TEST(Thread, EachHasAnIdOfItsOwn) {
  EXPECT_EQ(thread_id(), ::getpid()) << "the main thread's is the process'";
  pid_t other = 0;
  std::thread([&other] { other = thread_id(); }).join();
  EXPECT_GT(other, 0);
  EXPECT_NE(other, thread_id());
}

TEST(Thread, AllOfTheProcessAreListed) {
  const auto before = process_threads().value();
  EXPECT_THAT(before, testing::Contains(thread_id()));
  std::thread([&] {
    const auto now = process_threads().value();
    EXPECT_THAT(now, testing::Contains(thread_id()));
    EXPECT_THAT(before, testing::Not(testing::Contains(thread_id())));
  }).join();
}

TEST(Thread, ANameIsCutToFifteenBytes) {
  std::thread([] {
    ASSERT_TRUE(set_thread_name("workers/0"));
    EXPECT_EQ(name_in_proc(thread_id()), "workers/0\n");
    ASSERT_TRUE(set_thread_name("a-very-long-context-name/12"));
    EXPECT_EQ(name_in_proc(thread_id()), "a-very-long-con\n");
    ASSERT_TRUE(set_thread_name(""));
    EXPECT_EQ(name_in_proc(thread_id()), "\n");
  }).join();
}

TEST(Thread, AffinityIsSetForTheCallingThreadOnly) {
  const std::vector<int> before = thread_affinity().value();
  ASSERT_FALSE(before.empty());
  EXPECT_TRUE(std::is_sorted(before.begin(), before.end()));
  std::thread([&] {
    const int last = before.back();
    ASSERT_TRUE(set_thread_affinity(std::span(&last, 1)));
    EXPECT_EQ(thread_affinity().value(), std::vector<int>{last});
  }).join();
  EXPECT_EQ(thread_affinity().value(), before);
}

TEST(Thread, AnAffinityThatCannotBeIsRefused) {
  const int negative = -1;
  const int beyond = 100'000;
  EXPECT_TRUE(is_errno(set_thread_affinity({}).error(), EINVAL));
  EXPECT_TRUE(is_errno(set_thread_affinity(std::span(&negative, 1)).error(), EINVAL));
  EXPECT_TRUE(is_errno(set_thread_affinity(std::span(&beyond, 1)).error(), EINVAL));
}

TEST(Thread, AMachineWithMoreCpusThanExpectedIsAskedAgain) {
  const std::vector<int> cpus = thread_affinity().value();
  FaultPlan faults;
  faults.fail(Call::thread, EINVAL, {.times = 2});
  EXPECT_EQ(thread_affinity().value(), cpus);
  faults.fail(Call::thread, EINVAL, {.times = FaultRange::kAlways});
  EXPECT_TRUE(is_errno(thread_affinity().error(), EINVAL));
}

TEST(Thread, TimerSlackCanBeChosen) {
  std::thread([] {
    ASSERT_TRUE(set_timer_slack_ns(1));
    ASSERT_TRUE(set_timer_slack_ns(0));
  }).join();
}

TEST(Thread, ASignalToAThreadThatHasEndedIsReported) {
  pid_t ended = 0;
  std::thread([&ended] { ended = thread_id(); }).join();
  // A join returns a moment before the kernel forgets the number.
  Result<void> signalled = signal_thread(ended, 0);
  while (signalled) signalled = signal_thread(ended, 0);
  EXPECT_TRUE(is_errno(signalled.error(), ESRCH));
  EXPECT_TRUE(signal_thread(thread_id(), 0)) << "signal 0 only asks";
}

}  // namespace
}  // namespace weft::sys
