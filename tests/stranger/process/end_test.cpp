// SPDX-License-Identifier: Apache-2.0
// How processes are ended: by request, by cancellation, and with the object that stands for them.
#include "stranger/process/process.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/channel.hpp>
#include <weft/execution_context.hpp>
#include <weft/select.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <cstdlib>
#include <optional>

namespace {

using namespace stranger;
using namespace std::chrono_literals;

TEST(Stop, AsksFirst) {
  in_fiber([] {
    Child child = shell("trap 'echo bye; exit 9' TERM; echo ready; while true; do read line; done")
                      .standard_input(Stdio::pipe())
                      .standard_output(Stdio::pipe())
                      .spawn()
                      .value();
    const weft::io::PipeWriter input = std::move(child.input());
    read_until(child.output(), "ready\n");
    child.terminate().value();
    EXPECT_EQ(read_until(child.output(), "bye\n"), "bye\n");
    EXPECT_EQ(child.stop(1h).value(), ExitStatus::of_code(9));
    EXPECT_EQ(Command("sleep", {"1000"}).spawn().value().stop(1h).value(), ExitStatus::of_signal(SIGTERM));
  });
}

TEST(Stop, KillsAfterTheGrace) {
  in_fiber([] {
    Child child = stubborn();
    const weft::io::PipeWriter input = std::move(child.input());
    EXPECT_EQ(child.stop(1ms).value(), ExitStatus::of_signal(SIGKILL));
    Child other = stubborn();
    const weft::io::PipeWriter other_input = std::move(other.input());
    EXPECT_EQ(other.stop(0ns).value(), ExitStatus::of_signal(SIGKILL));
    EXPECT_EQ(Command("sleep", {"1000"}).spawn().value().stop(-1s).value(), ExitStatus::of_signal(SIGKILL));
    EXPECT_FALSE(has_children());
  });
}

TEST(Stop, ClosesTheInputOfAProgramThatWaitsForItsEnd) {
  in_fiber([] {
    Child child = stubborn();
    EXPECT_EQ(child.stop(1h).value(), ExitStatus::of_code(0));
  });
}

TEST(Stop, IsNotCancelled) {
  in_fiber([] {
    Child child = stubborn();
    const weft::io::PipeWriter input = std::move(child.input());
    weft::CancelScope scope(weft::Deadline::after(-1s));
    EXPECT_EQ(child.stop(1ms).value(), ExitStatus::of_signal(SIGKILL));
  });
}

TEST(Stop, OfAProcessThatHasEndedGivesItsStatus) {
  in_fiber([] {
    Child child = Command("echo").standard_output(Stdio::pipe()).spawn().value();
    read_until(child.output(), "\n");
    EXPECT_TRUE(weft::select(weft::readable(child, [] {})));
    EXPECT_EQ(child.stop().value(), ExitStatus::of_code(0));
  });
}

TEST(Stop, ByManyAtOnce) {
  in_fiber(
      [] {
        Child child = stubborn();
        const weft::io::PipeWriter input = std::move(child.input());
        weft::TaskGroup<ExitStatus> group;
        for (int i = 0; i < 8; ++i) group.spawn([&] { return child.stop(1ms); });
        for (int i = 0; i < 8; ++i) group.spawn([&] { return child.wait(); });
        EXPECT_EQ(group.wait().value(), std::vector<ExitStatus>(16, ExitStatus::of_signal(SIGKILL)));
      },
      4);
}

TEST(Signals, AreSent) {
  in_fiber([] {
    Child child = shell("trap 'echo usr1' USR1; echo ready; while true; do read line; done")
                      .standard_input(Stdio::pipe())
                      .standard_output(Stdio::pipe())
                      .spawn()
                      .value();
    const weft::io::PipeWriter input = std::move(child.input());
    read_until(child.output(), "ready\n");
    EXPECT_TRUE(child.send_signal(0));
    child.send_signal(SIGUSR1).value();
    EXPECT_EQ(read_until(child.output(), "usr1\n"), "usr1\n");
    EXPECT_EQ(child.send_signal(1000).error(), system_error(EINVAL));
    EXPECT_EQ(child.send_signal(-1).error(), system_error(EINVAL));
    EXPECT_TRUE(child.kill());
    EXPECT_EQ(child.wait().value(), ExitStatus::of_signal(SIGKILL));
    const auto late = child.terminate();
    EXPECT_EQ(late.error(), system_error(ESRCH));
    EXPECT_EQ(late.message(), "sending a signal to /bin/sh: No such process");
  });
}

TEST(Destruction, EndsAndReapsTheProcess) {
  in_fiber([] {
    pid_t asked = 0, killed = 0;
    {
      const Child child = Command("sleep", {"1000"}).spawn().value();
      asked = child.id();
      EXPECT_TRUE(exists(asked));
    }
    EXPECT_FALSE(exists(asked));
    {
      Child child = shell("trap '' TERM; echo ready; while true; do sleep 1000; done")
                        .standard_output(Stdio::pipe())
                        .group(ProcessGroup::kOwn)
                        .grace(1ms)
                        .spawn()
                        .value();
      read_until(child.output(), "ready\n");
      killed = child.id();
    }
    EXPECT_FALSE(exists(killed));
    EXPECT_FALSE(has_children());
  });
}

TEST(Destruction, InACancelledFiberToo) {
  in_fiber([] {
    weft::Channel<pid_t> started(1);
    auto owner = weft::spawn([&] {
      Child child = Command("sleep", {"1000"}).spawn().value();
      EXPECT_TRUE(started.send(child.id()));
      return child.wait();
    });
    const pid_t pid = started.receive().value();
    owner.cancel();
    EXPECT_EQ(owner.join_uncancellable().error(), weft::Errc::cancelled);
    EXPECT_FALSE(exists(pid));
    EXPECT_FALSE(has_children());
  });
}

TEST(Destruction, OnAPlainThread) {
  std::optional<Child> child, stubborn_child;
  weft::io::PipeWriter input;
  in_fiber([&] {
    child = Command("sleep", {"1000"}).spawn().value();
    stubborn_child = shell("trap '' TERM; echo ready; cat")
                         .standard_input(Stdio::pipe())
                         .standard_output(Stdio::pipe())
                         .grace(1ms)
                         .spawn()
                         .value();
    read_until(stubborn_child->output(), "ready\n");
    input = std::move(stubborn_child->input());
  });
  const pid_t first = child->id(), second = stubborn_child->id();
  EXPECT_TRUE(exists(first) && exists(second));
  child.reset();
  stubborn_child.reset();
  EXPECT_FALSE(exists(first) || exists(second));
  EXPECT_FALSE(has_children());
}

TEST(Destruction, ByAssignment) {
  in_fiber([] {
    Child child = Command("sleep", {"1000"}).spawn().value();
    const pid_t first = child.id();
    child = shell("exit 2").spawn().value();
    EXPECT_FALSE(exists(first));
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(2));
    Child& same = child;
    child = std::move(same);
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(2));
  });
}

TEST(Destruction, OfTheLastOneAtTheEndOfTheProgram) {
  in_fiber([] {
    // Detached: its context ends it.
    weft::Channel<bool> started(1);
    weft::spawn([&started] {
      Child child = Command("sleep", {"1000"}).spawn().value();
      EXPECT_TRUE(started.send(true));
      EXPECT_EQ(child.wait().error(), weft::Errc::cancelled);
    });
    EXPECT_TRUE(started.receive());
  });
  EXPECT_FALSE(has_children());
}

TEST(Release, LeavesTheProcessToTheCaller) {
  in_fiber([] {
    Child child = Command("cat").standard_input(Stdio::pipe()).spawn().value();
    weft::io::PipeWriter input = std::move(child.input());
    const pid_t pid = child.release();
    EXPECT_GT(pid, 0);
    EXPECT_EQ(child.wait().error(), weft::Errc::closed);
    EXPECT_TRUE(exists(pid));
    EXPECT_TRUE(input.close());
    int status = -1;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
  });
}

/// A shell that has started a process of its own, whose number it has said.
Command shell_with_grandchild() {
  Command command = shell("sleep 1000 & echo $!; wait");
  command.standard_output(Stdio::pipe());
  return command;
}

TEST(Groups, AreEndedAsAWhole) {
  for (const ProcessGroup group : std::vector<ProcessGroup>{ProcessGroup::kOwn, ProcessGroup::kSession}) {
    in_fiber([group] {
      Child child = shell_with_grandchild().group(group).spawn().value();
      const pid_t grandchild = std::stoi(read_until(child.output(), "\n"));
      EXPECT_EQ(::getpgid(grandchild), child.id());
      EXPECT_EQ(::getsid(grandchild) == child.id(), group == ProcessGroup::kSession);
      EXPECT_TRUE(child.stop(1h));
      // Its end closes the last writing end of the pipe, whoever reaps it.
      char byte[1];
      EXPECT_EQ(child.output().read_some(byte).error(), weft::Errc::end_of_file);
    });
  }
}

TEST(Groups, ThatSurviveTheirLeaderAreKilled) {
  in_fiber([] {
    Child child = shell("exec 3<&0; (trap '' TERM; echo ready; cat <&3) & wait")
                      .standard_input(Stdio::pipe())
                      .standard_output(Stdio::pipe())
                      .group(ProcessGroup::kOwn)
                      .spawn()
                      .value();
    const weft::io::PipeWriter input = std::move(child.input());
    read_until(child.output(), "ready\n");
    EXPECT_EQ(child.stop(1h).value(), ExitStatus::of_signal(SIGTERM));  // the leader complies
    char byte[1];
    EXPECT_EQ(child.output().read_some(byte).error(), weft::Errc::end_of_file);
  });
}

TEST(Groups, ThatAreSharedAreLeftAlone) {
  in_fiber([] {
    Child child = shell_with_grandchild().spawn().value();
    const pid_t grandchild = std::stoi(read_until(child.output(), "\n"));
    EXPECT_EQ(::getpgid(grandchild), ::getpgrp());
    EXPECT_TRUE(child.stop(1h));
    EXPECT_TRUE(exists(grandchild));
    ::kill(grandchild, SIGKILL);
  });
}

void start_and_be_killed() {
  in_fiber([] {
    const Child child = shell("echo started; exec sleep 1000").die_with_parent().spawn().value();
    weft::sleep(1h);
  });
}

TEST(DieWithParent, EndsTheProcessWhenTheProgramIsKilled) {
  if (is_copy()) return start_and_be_killed();
  in_fiber([] {
    const std::vector<std::string> copy = copy_of_this_test();
    Child parent = as_copy(Command(copy[0], {copy[1]})).standard_output(Stdio::pipe()).spawn().value();
    read_until(parent.output(), "started\n");
    EXPECT_TRUE(parent.kill());
    EXPECT_EQ(parent.wait().value(), ExitStatus::of_signal(SIGKILL));
    // The process has the pipe, too: this is its end.
    char byte[1];
    EXPECT_EQ(parent.output().read_some(byte).error(), weft::Errc::end_of_file);
  });
}

TEST(DieWithParent, IsNoMatterOfThreads) {
  in_fiber([] {
    Child child;
    weft::ConcurrentContext("short")
        .spawn(
            [&] { child = Command("cat").standard_input(Stdio::pipe()).die_with_parent().spawn().value(); })
        .join_uncancellable();
    EXPECT_EQ(child.try_wait().error(), weft::Errc::would_block);
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(0));
  });
}

}  // namespace
