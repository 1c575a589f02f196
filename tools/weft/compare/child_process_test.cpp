// SPDX-License-Identifier: Apache-2.0
#include "child_process.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <stdexcept>

namespace weft::tool::compare {
namespace {

ChildProcess shell(const std::string& script) { return ChildProcess({{"sh", "-c", script}}); }

TEST(ChildProcess, ItsOutputAndStatusAreKept) {
  ChildProcess child = shell("echo out; echo err >&2; echo more; exit 3");
  EXPECT_EQ(child.wait(), 3);
  EXPECT_EQ(child.output(), "out\nmore\n");
  EXPECT_EQ(child.error_output(), "err\n");
}

TEST(ChildProcess, OutputLongerThanAPipeDoesNotStopIt) {
  ChildProcess child = shell("head -c 300000 /dev/zero");
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(child.output().size(), 300000u);
}

TEST(ChildProcess, AProgramThatIsNotThereIsSaidAtOnce) {
  EXPECT_THROW(ChildProcess({{"/there/is/no/such/program"}}), std::runtime_error);
}

TEST(ChildProcess, EndsWithTheObject) {
  pid_t pid = 0;
  {
    const ChildProcess child = shell("exec cat /dev/zero > /dev/null");
    pid = child.pid();
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_EQ(kill(pid, 0), -1);
}

TEST(ChildProcess, TheStatusOfASignalIsAsInAShell) {
  ChildProcess child = shell("exec cat /dev/zero > /dev/null");
  EXPECT_FALSE(child.poll());
  child.send_signal(SIGTERM);
  EXPECT_EQ(child.wait(), 128 + SIGTERM);
  EXPECT_EQ(child.poll(), 128 + SIGTERM);
}

TEST(ChildProcess, GetsItsEnvironmentAndNoInput) {
  ChildProcess child({{"sh", "-c", "echo $WEFT_STRATEGY; cat"}, {{"WEFT_STRATEGY", "pinned"}}});
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(child.output(), "pinned\n");
}

}  // namespace
}  // namespace weft::tool::compare
