// SPDX-License-Identifier: Apache-2.0
#include "sys/process.hpp"

#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/pipe.hpp"
#include "sys/poll.hpp"
#include "sys/signal.hpp"
#include "sys/start_signals.hpp"

#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

namespace weft::sys {
namespace {

/// A plan for a script of /bin/sh.
class Script {
 public:
  explicit Script(const char* text) : text_(text) {
    plan.programs = programs_;
    plan.arguments = arguments_;
    plan.environment = ::environ;
    plan.parent = ::getpid();
  }

  ChildPlan plan;

 private:
  std::string text_;
  char shell_[8] = "/bin/sh", option_[3] = "-c";
  const char* programs_[2] = {shell_, nullptr};
  char* arguments_[4] = {shell_, option_, text_.data(), nullptr};
};

EndOfProcess end_after(const StartedProcess& process) {
  while (!poll_for(process.process.get(), POLLIN, 60'000).value()) {}
  return end_of_process(process.process.get(), Reap::kYes).value().value();
}

TEST(Process, RunsAndEnds) {
  Script script("exit 7");
  const StartedProcess process = start_process(script.plan).value();
  EXPECT_GT(process.pid, 0);
  EXPECT_NE(::fcntl(process.process.get(), F_GETFD) & FD_CLOEXEC, 0);
  const EndOfProcess end = end_after(process);
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.value, 7);
  EXPECT_TRUE(is_errno(end_of_process(process.process.get(), Reap::kYes).error(), ECHILD));
  EXPECT_TRUE(is_errno(signal_process(process.process.get(), 0).error(), ESRCH));
}

TEST(Process, IsSeenToHaveEndedBeforeItIsReaped) {
  Script script("kill -USR1 $$");
  const StartedProcess process = start_process(script.plan).value();
  while (!poll_for(process.process.get(), POLLIN, 60'000).value()) {}
  for (const Reap reap : std::vector<Reap>{Reap::kNo, Reap::kNo, Reap::kYes}) {
    const EndOfProcess end = end_of_process(process.process.get(), reap).value().value();
    EXPECT_FALSE(end.exited);
    EXPECT_EQ(end.value, SIGUSR1);
  }
}

TEST(Process, IsSignalled) {
  for (const bool group : std::vector<bool>{false, true}) {
    Script script("exec sleep 1000");
    script.plan.group = group ? ChildGroup::kOwn : ChildGroup::kShared;
    const StartedProcess process = start_process(script.plan).value();
    const int fd = process.process.get();
    EXPECT_FALSE(end_of_process(fd, Reap::kYes).value().has_value());
    EXPECT_TRUE(group ? signal_process_group(fd, process.pid, SIGTERM) : signal_process(fd, SIGTERM));
    EXPECT_EQ(end_after(process).value, SIGTERM);
  }
}

TEST(Process, AStepThatFailsIsNamedAndLeavesNoChild) {
  struct Case {
    Call call;
    std::uint64_t skip;
    ChildStep step;
  };
  for (const Case& each : std::vector<Case>{{Call::child_step, 0, ChildStep::kSession},
                                            {Call::child_step, 1, ChildStep::kDirectory},
                                            {Call::child_step, 2, ChildStep::kDescriptors},
                                            {Call::child_step, 3, ChildStep::kSignals},
                                            {Call::execute, 0, ChildStep::kExecute}}) {
    Script script("exit 0");
    FaultPlan faults;
    faults.fail(each.call, EPERM, {.skip = each.skip});
    EXPECT_TRUE(is_errno(start_process(script.plan).error(), EPERM));
    EXPECT_EQ(script.plan.failed_step, each.step);
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL), -1);
  }
}

TEST(Process, AParentThatIsNotTheOneMeansThatItHasDied) {
  Script script("exit 0");
  script.plan.death_signal = SIGKILL;
  script.plan.parent = 1;
  EXPECT_TRUE(is_errno(start_process(script.plan).error(), ESRCH));
  script.plan.error = 0;
  script.plan.parent = ::getpid();
  EXPECT_TRUE(end_after(start_process(script.plan).value()).exited);
}

TEST(Process, TheMaskOfTheThreadIsAsItWas) {
  const BlockedSignals blocked(signal_set({SIGUSR2}));
  Script script("exit 0");
  end_after(start_process(script.plan).value());
  sigset_t now;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
  EXPECT_EQ(::sigismember(&now, SIGUSR2), 1);
  EXPECT_EQ(::sigismember(&now, SIGUSR1), 0);
}

TEST(StartSignals, AreThoseBeforeMain) {
  const StartSignals& signals = start_signals();
  EXPECT_EQ(signals.ignored & (std::uint64_t{1} << (SIGKILL - 1)), 0u);
  const auto before = ::signal(SIGUSR1, SIG_IGN);
  EXPECT_EQ(start_signals().ignored >> (SIGUSR1 - 1) & 1, before == SIG_IGN ? 1u : 0u);
  ::signal(SIGUSR1, before);
}

TEST(PollFor, WaitsForAWhile) {
  const Pipe pipe = create_pipe().value();
  EXPECT_FALSE(poll_for(pipe.read_end.get(), POLLIN, 0).value());
  EXPECT_FALSE(poll_for(pipe.read_end.get(), POLLIN, 1).value());
  EXPECT_EQ(::write(pipe.write_end.get(), "x", 1), 1);
  EXPECT_TRUE(poll_for(pipe.read_end.get(), POLLIN, 60'000).value());
  FaultPlan faults;
  faults.fail(Call::poll, EINTR);
  EXPECT_FALSE(poll_for(pipe.read_end.get(), POLLIN, 60'000).value());
}

}  // namespace
}  // namespace weft::sys
