// SPDX-License-Identifier: Apache-2.0
// Pools and fork(): a pool is there in the child, without threads and calls.
#include "stranger/fibers/children.hpp"

#include <weft/weft.hpp>

namespace {

using stranger::Child;
using stranger::in_child;
using stranger::in_fiber;

TEST(BlockingFork, APoolWorksInAChildOfAProcessThatUsedIt) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  weft::BlockingPool pool("forked");
  in_fiber([&] { EXPECT_EQ(pool.run([] { return 1; }).value(), 1); });
  const Child child = in_child([&] {
    if (pool.counters().threads != 0) return 1;
    if (pool.run([] { return 2; }).value() != 2) return 2;
    return weft::run(
        [&] { return pool.run([] { return 0; }).value() + weft::blocking([] { return 0; }).value(); });
  });
  EXPECT_EQ(child.exit_code(), 0) << child.text;
  EXPECT_EQ(pool.run([] { return 3; }).value(), 3);
}

TEST(BlockingFork, ACallMayForkAndItsChildExit) {
  in_fiber(
      [] { EXPECT_EQ(weft::blocking([] { return in_child([] { return 7; }).exit_code(); }).value(), 7); });
}

TEST(BlockingFork, ACallThatReturnsInAChildIsABug) {
  SKIP_IF_REPORTS_OF_CHILDREN_ARE_WATCHED();
  in_fiber([] {
    weft::blocking([] {
      int pipe[2];
      ASSERT_EQ(::pipe(pipe), 0);
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::alarm(30);
        ::dup2(pipe[1], STDERR_FILENO);
        ::close(pipe[0]);
        ::close(pipe[1]);
        return;
      }
      ::close(pipe[1]);
      Child child;
      child.text = stranger::read_all(pipe[0]);
      ASSERT_EQ(::waitpid(pid, &child.status, 0), pid);
      EXPECT_TRUE(child.aborted_with("a blocking call returns in a child of fork()")) << child.text;
    }).value();
  });
}

}  // namespace
