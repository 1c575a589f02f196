// SPDX-License-Identifier: Apache-2.0
// The signals of new processes, and what their ends mean for the signals of this one.
#include "stranger/process/process.hpp"

#include <weft/signal_set.hpp>

#include <unistd.h>

namespace {

using namespace stranger;

std::string own_status() { return content("/proc/self/status"); }

/// As this program was started.
const std::string status_at_start = own_status();

class Disposition {
 public:
  Disposition(int number, void (*handler)(int)) : number_(number), before_(::signal(number, handler)) {}
  ~Disposition() { ::signal(number_, before_); }
  Disposition(const Disposition&) = delete;
  Disposition& operator=(const Disposition&) = delete;

 private:
  const int number_;
  void (*const before_)(int);
};

TEST(SignalsOfChildren, AreThoseThatThisProgramWasStartedWith) {
  const Disposition ignored(SIGPIPE, SIG_IGN), also_ignored(SIGHUP, SIG_IGN);
  const Disposition handled(SIGUSR1, [](int) {});
  sigset_t blocked, before;
  sigemptyset(&blocked);
  for (const int number : {SIGUSR2, SIGTERM, SIGRTMIN + 3}) sigaddset(&blocked, number);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  in_fiber([] {
    weft::SignalSet set{SIGWINCH};
    const std::string status = text_of(Command("cat", {"/proc/self/status"}));
    EXPECT_EQ(status_line(status, "SigBlk"), status_line(status_at_start, "SigBlk"));
    EXPECT_EQ(status_line(status, "SigIgn"), status_line(status_at_start, "SigIgn"));
    EXPECT_EQ(status_line(status, "SigCgt"), "0000000000000000");
    EXPECT_NE(status_line(own_status(), "SigIgn"), status_line(status_at_start, "SigIgn"));
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void hang_up_a_child() {
  ::signal(SIGHUP, SIG_DFL);
  in_fiber([] { EXPECT_TRUE(shell("kill -HUP $$").run().value().success()); });
}

TEST(SignalsOfChildren, ThatWereIgnoredAtTheStartStayIgnored) {
  if (is_copy()) return hang_up_a_child();
  in_fiber([] {
    const Output output = as_copy(Command("nohup", copy_of_this_test())).output().value();
    EXPECT_TRUE(output.status.success()) << output.output << output.error;
  });
}

TEST(SignalsOfChildren, ATerminalsInterruptDoesNotReachAGroupOfItsOwn) {
  in_fiber([] {
    Child child = shell("echo ready; read line")
                      .standard_input(Stdio::pipe())
                      .standard_output(Stdio::pipe())
                      .group(ProcessGroup::kOwn)
                      .spawn()
                      .value();
    read_until(child.output(), "ready\n");
    EXPECT_NE(::getpgid(child.id()), ::getpgrp());
    EXPECT_EQ(::getpgid(child.id()), child.id());
    child.input().write_all("\n").value();
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(0));
  });
}

TEST(Sigchld, OfProcessesComesToASignalSetOfTheProgram) {
  in_fiber([] {
    weft::SignalSet set{SIGCHLD};
    Child child = Command("true").spawn().value();
    EXPECT_EQ(set.wait().value().number, SIGCHLD);
    EXPECT_TRUE(child.wait().value().success());
    // Not of one that could not be started.
    while (set.try_wait()) {}
    EXPECT_FALSE(Command("weft-no-such-program").spawn());
    EXPECT_EQ(set.try_wait().error(), weft::Errc::would_block);
  });
}

TEST(Sigchld, OtherChildrenAreLeftToTheProgram) {
  in_fiber([] {
    const pid_t own = ::fork();
    if (own == 0) ::_exit(42);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(shell("exit 3").run().value(), ExitStatus::of_code(3));
    int status = 0;
    EXPECT_EQ(::waitpid(-1, &status, 0), own);
    EXPECT_EQ(WEXITSTATUS(status), 42);
  });
}

TEST(Sigchld, IfTheProgramIgnoresItTheStatusIsLost) {
  const Disposition ignored(SIGCHLD, SIG_IGN);
  in_fiber([] {
    EXPECT_EQ(Command("true").run().error(), system_error(ECHILD));
    EXPECT_EQ(Command("weft-no-such-program").run().error(), system_error(ENOENT));
  });
}

}  // namespace
