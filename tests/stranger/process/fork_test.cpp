// SPDX-License-Identifier: Apache-2.0
// A child of fork() and the processes of its parent.
#include "stranger/process/process.hpp"

#include <unistd.h>

namespace {

using namespace stranger;
using namespace std::chrono_literals;

/// In a child of fork(); 0: the process is the parent's.
int use_inherited(Child& child) {
  if (child.wait().error() != weft::Errc::closed) return 1;
  if (child.try_wait().error() != weft::Errc::closed) return 2;
  if (child.stop().error() != weft::Errc::closed) return 3;
  if (child.kill().error() != weft::Errc::closed) return 4;
  { const Child destroyed = std::move(child); }
  return 0;
}

TEST(ProcessFork, AnInheritedProcessIsTheParents) {
  in_fiber([] {
    Child child = Command("cat").standard_input(Stdio::pipe()).standard_output(Stdio::pipe()).spawn().value();
    const pid_t fork = ::fork();
    if (fork == 0) {
      ::alarm(30);
      ::_exit(use_inherited(child));
    }
    int status = -1;
    EXPECT_EQ(::waitpid(fork, &status, 0), fork);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    // It runs, and hears of it.
    child.input().write_all("still\n").value();
    EXPECT_EQ(read_until(child.output(), "\n"), "still\n");
    EXPECT_EQ(child.try_wait().error(), weft::Errc::would_block);
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(0));
  });
}

TEST(ProcessFork, AChildOfForkStartsProcessesOfItsOwn) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer: no threads in a child of a process that has some";
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
  GTEST_SKIP() << "ThreadSanitizer: no threads in a child of a process that has some";
#endif
#endif
  in_fiber([] { EXPECT_TRUE(Command("true").run().value().success()); });  // the pool has threads
  const pid_t fork = ::fork();
  if (fork == 0) {
    ::alarm(30);
    ::_exit(weft::run([] { return shell("exit 11").run().value().code().value_or(1); }));
  }
  int status = -1;
  EXPECT_EQ(::waitpid(fork, &status, 0), fork);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 11);
}

}  // namespace
