// SPDX-License-Identifier: Apache-2.0
#include "sys/fault.hpp"

#include "sys/errors.hpp"
#include "sys/io.hpp"
#include "sys/pipe.hpp"
#include "sys/socket.hpp"

#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

constexpr std::array<std::byte, 8> kEight{};

/// The error of a write of eight bytes, or 0.
int write_error(const Fd& fd) {
  const Result<std::size_t> written = write(fd.get(), kEight);
  return written ? 0 : written.error().value();
}

TEST(FaultPlan, FailsTheNextCallOnly) {
  const Pipe pipe = create_pipe().value();
  FaultPlan faults;
  faults.fail(Call::write, ENOSPC);
  EXPECT_EQ(write_error(pipe.write_end), ENOSPC);
  EXPECT_EQ(write_error(pipe.write_end), 0);
  EXPECT_EQ(faults.applied(), 1u);
}

TEST(FaultPlan, SkipsCallsBeforeItApplies) {
  const Pipe pipe = create_pipe().value();
  FaultPlan faults;
  faults.fail(Call::write, ENOSPC, {.skip = 2, .times = 2});
  std::vector<int> errors;
  for (int i = 0; i < 6; ++i) errors.push_back(write_error(pipe.write_end));
  EXPECT_EQ(errors, (std::vector<int>{0, 0, ENOSPC, ENOSPC, 0, 0}));
}

TEST(FaultPlan, AppliesRulesInTheOrderTheyWereAdded) {
  const Pipe pipe = create_pipe().value();
  FaultPlan faults;
  faults.fail(Call::write, ENOSPC);
  faults.fail(Call::write, EIO);
  EXPECT_EQ(write_error(pipe.write_end), ENOSPC);
  EXPECT_EQ(write_error(pipe.write_end), EIO);
  EXPECT_EQ(write_error(pipe.write_end), 0);
}

TEST(FaultPlan, LeavesOtherDescriptorsAndOtherCallsAlone) {
  const Pipe one = create_pipe().value();
  const Pipe two = create_pipe().value();
  FaultPlan faults;
  faults.fail(Call::write, EIO, {.times = FaultRange::kAlways, .fd = one.write_end.get()});
  EXPECT_EQ(write_error(two.write_end), 0);
  EXPECT_EQ(write_error(one.write_end), EIO);
  std::array<std::byte, 8> buffer;
  EXPECT_EQ(read(two.read_end.get(), buffer).value(), 8u);
}

TEST(FaultPlan, EndsWithItsScope) {
  const Pipe pipe = create_pipe().value();
  {
    FaultPlan faults;
    faults.fail(Call::write, EIO, {.times = FaultRange::kAlways});
    EXPECT_EQ(write_error(pipe.write_end), EIO);
  }
  EXPECT_EQ(write_error(pipe.write_end), 0);
}

TEST(FaultPlan, TwoPlansDoNotDisturbEachOther) {
  const Pipe pipe = create_pipe().value();
  FaultPlan outer;
  outer.fail(Call::write, EIO, {.times = FaultRange::kAlways});
  {
    FaultPlan inner;
    inner.fail(Call::read, EBADF, {.times = FaultRange::kAlways});
  }
  EXPECT_EQ(write_error(pipe.write_end), EIO);
}

TEST(FaultPlan, ShortensACall) {
  const Pipe pipe = create_pipe().value();
  FaultPlan faults;
  faults.shorten(Call::write, 3, {.times = 2});
  EXPECT_EQ(write(pipe.write_end.get(), kEight).value(), 3u);
  EXPECT_EQ(write(pipe.write_end.get(), std::span(kEight).first(2)).value(), 2u);
  EXPECT_EQ(write(pipe.write_end.get(), kEight).value(), 8u);
}

TEST(FaultPlan, InjectedEintrIsRetriedWhereTheKernelsWouldBe) {
  const Pipe pipe = create_pipe().value();
  FaultPlan faults;
  faults.fail(Call::write, EINTR, {.times = 3});
  EXPECT_EQ(write_error(pipe.write_end), 0);
  EXPECT_EQ(faults.applied(), 3u);
}

TEST(FaultPlan, AnActionRunsBeforeTheCallAndMayCallItself) {
  const Pipe pipe = create_pipe().value();
  FaultPlan faults;
  int seen_fd = -1;
  faults.run(Call::write, [&](int fd) {
    seen_fd = fd;
    EXPECT_EQ(write_error(pipe.write_end), 0);  // from inside: the rule is used up already
  });
  EXPECT_EQ(write_error(pipe.write_end), 0);
  EXPECT_EQ(seen_fd, pipe.write_end.get());
  std::array<std::byte, 32> buffer;
  EXPECT_EQ(read(pipe.read_end.get(), buffer).value(), 16u);
}

TEST(FaultPlan, ExactlyTheCallsAskedForFailAmongManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kCalls = 500;
  FaultPlan faults;
  faults.fail(Call::write, EIO, {.skip = 100, .times = 700});
  Atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&failed] {
      const Pipe pipe = create_pipe().value();
      for (int call = 0; call < kCalls; ++call) failed.fetch_add(write_error(pipe.write_end) == EIO ? 1 : 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed.load(), 700);
}

TEST(FaultPlan, MayBeginAndEndWhileOtherThreadsCall) {
  Atomic<bool> stop{false};
  std::thread caller([&stop] {
    const Pipe pipe = create_pipe().value();
    std::array<std::byte, 8> buffer;
    while (!stop.load()) {
      const int error = write_error(pipe.write_end);
      EXPECT_TRUE(error == 0 || error == EIO) << error;
      if (error != 0) continue;
      EXPECT_EQ(read(pipe.read_end.get(), buffer).value(), 8u);
    }
  });
  for (int round = 0; round < 200; ++round) {
    FaultPlan faults;
    faults.fail(Call::write, EIO, {.skip = 1, .times = 2});
    while (faults.applied() < 2) std::this_thread::yield();
  }
  stop.store(true);
  caller.join();
}

TEST(CallCounter, CountsEachKindWhileAlive) {
  const Pipe pipe = create_pipe().value();
  EXPECT_EQ(write_error(pipe.write_end), 0);
  CallCounter counter;
  EXPECT_EQ(write_error(pipe.write_end), 0);
  EXPECT_EQ(write_error(pipe.write_end), 0);
  std::array<std::byte, 32> buffer;
  EXPECT_EQ(read(pipe.read_end.get(), buffer).value(), 24u);
  const CallCounts counts = counter.counts();
  EXPECT_EQ(counts[Call::write], 2u);
  EXPECT_EQ(counts[Call::read], 1u);
  EXPECT_EQ(counts[Call::recv], 0u);
  EXPECT_EQ(counts.total(), 3u);
}

TEST(CallCounter, CountsFromZeroAgainAfterAReset) {
  const Pipe pipe = create_pipe().value();
  CallCounter counter;
  EXPECT_EQ(write_error(pipe.write_end), 0);
  counter.reset();
  EXPECT_EQ(counter.counts().total(), 0u);
  EXPECT_EQ(write_error(pipe.write_end), 0);
  EXPECT_EQ(counter.counts()[Call::write], 1u);
}

TEST(CallCounter, CountsInjectedFailuresAndRetries) {
  const Pipe pipe = create_pipe().value();
  FaultPlan faults;
  faults.fail(Call::write, EINTR, {.times = 2});
  faults.fail(Call::write, EIO);
  CallCounter counter;
  EXPECT_EQ(write_error(pipe.write_end), EIO);
  EXPECT_EQ(counter.counts()[Call::write], 3u);
}

TEST(CallCounter, GivesDifferences) {
  const Pipe pipe = create_pipe().value();
  CallCounter counter;
  EXPECT_EQ(write_error(pipe.write_end), 0);
  const CallCounts before = counter.counts();
  EXPECT_EQ(write_error(pipe.write_end), 0);
  EXPECT_EQ((counter.counts() - before)[Call::write], 1u);
}

TEST(CallCounter, EveryKindHasANameOfItsOwn) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kCallKinds; ++i) names.insert(to_string(static_cast<Call>(i)));
  EXPECT_EQ(names.size(), kCallKinds);
  EXPECT_STREQ(to_string(Call::epoll_remove), "epoll_remove");
  EXPECT_STREQ(to_string(Call::thread), "thread");
}

}  // namespace
}  // namespace weft::sys
