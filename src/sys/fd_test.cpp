// SPDX-License-Identifier: Apache-2.0
#include "sys/fd.hpp"

#include "sys/fault.hpp"
#include "sys/pipe.hpp"

#include <cerrno>
#include <fcntl.h>
#include <type_traits>
#include <unistd.h>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

static_assert(!std::is_copy_constructible_v<Fd>);
static_assert(std::is_nothrow_move_constructible_v<Fd>);
static_assert(sizeof(Fd) == sizeof(int));

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(Fd, ClosesWhatItOwns) {
  int number = -1;
  {
    const Pipe pipe = create_pipe().value();
    number = pipe.read_end.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, OwnsNothingByDefault) {
  const Fd fd;
  EXPECT_FALSE(fd);
  EXPECT_EQ(fd.get(), -1);
}

TEST(Fd, MovingHandsOverOwnership) {
  Pipe pipe = create_pipe().value();
  const int number = pipe.read_end.get();
  Fd moved = std::move(pipe.read_end);
  EXPECT_FALSE(pipe.read_end);
  EXPECT_EQ(moved.get(), number);
  Fd assigned;
  assigned = std::move(moved);
  EXPECT_FALSE(moved);
  EXPECT_TRUE(is_open(assigned.get()));
}

TEST(Fd, AssignmentClosesWhatItHeld) {
  Pipe pipe = create_pipe().value();
  const int replaced = pipe.read_end.get();
  pipe.read_end = std::move(pipe.write_end);
  EXPECT_FALSE(is_open(replaced));
  EXPECT_TRUE(is_open(pipe.read_end.get()));
}

TEST(Fd, SelfAssignmentKeepsItOpen) {
  Pipe pipe = create_pipe().value();
  Fd& same = pipe.read_end;
  pipe.read_end = std::move(same);
  EXPECT_TRUE(is_open(pipe.read_end.get()));
}

TEST(Fd, ReleaseGivesUpOwnershipWithoutClosing) {
  Pipe pipe = create_pipe().value();
  const int number = pipe.read_end.release();
  EXPECT_FALSE(pipe.read_end);
  EXPECT_TRUE(is_open(number));
  close(number);
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, ClosingLeavesErrnoAlone) {
  errno = ENOTTY;
  close(-1);
  EXPECT_EQ(errno, ENOTTY);
}

TEST(Fd, CloseIsNotRetriedAfterEintr) {
  const Pipe pipe = create_pipe().value();
  FaultPlan faults;
  faults.fail(Call::close, EINTR);
  CallCounter counter;
  Fd copy(::dup(pipe.read_end.get()));
  const int number = copy.get();
  copy.reset();
  EXPECT_EQ(counter.counts()[Call::close], 1u);
  EXPECT_FALSE(is_open(number));
}

}  // namespace
}  // namespace weft::sys
