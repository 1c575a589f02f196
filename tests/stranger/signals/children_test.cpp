// SPDX-License-Identifier: Apache-2.0
// Sets and children of fork().
#include "stranger/fibers/children.hpp"

#include <weft/weft.hpp>

#include <csignal>

namespace {

using namespace std::chrono_literals;
using stranger::Child;
using stranger::in_child;
using stranger::in_fiber;

TEST(SignalChildren, InAChildASignalDoesWhatItDidBeforeTheSets) {
  weft::SignalSet set{SIGTERM, SIGUSR1};
  const Child child = in_child([] {
    ::raise(SIGTERM);
    return 0;
  });
  EXPECT_TRUE(WIFSIGNALED(child.status)) << child.text;
  EXPECT_EQ(WTERMSIG(child.status), SIGTERM);
  EXPECT_EQ(set.try_wait().error(), weft::Errc::would_block);  // nothing of it came here
}

TEST(SignalChildren, AnInheritedSetIsClosedAndANewOneWorks) {
  SKIP_IF_CHILDREN_CANNOT_HAVE_THREADS();
  weft::SignalSet set{SIGUSR1};
  const Child child = in_child([&] {
    if (set.try_wait().error() != weft::Errc::closed) return 1;
    if (set.wait().error() != weft::Errc::closed) return 2;
    return weft::run([] {
      weft::SignalSet own{SIGUSR1};
      ::kill(::getpid(), SIGUSR1);
      return own.wait().value().number == SIGUSR1 ? 0 : 3;
    });
  });
  EXPECT_EQ(child.exit_code(), 0) << child.text;
  ::raise(SIGUSR1);
  EXPECT_TRUE(set.try_wait());
}

TEST(SignalChildren, AProgramThatIsStartedIsNotDisturbed) {
  in_fiber([] {
    weft::SignalSet set{SIGTERM};
    // Not in weft::blocking(): a child would inherit the mask of that thread.
    const int status = std::system("kill -TERM $$");  // NOLINT(cert-env33-c)
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 128 + SIGTERM) << status;
    EXPECT_EQ(set.try_wait().error(), weft::Errc::would_block);
  });
}

}  // namespace
