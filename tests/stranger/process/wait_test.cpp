// SPDX-License-Identifier: Apache-2.0
// How the end of a process is waited for, and told.
#include "stranger/process/process.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/channel.hpp>
#include <weft/execution_context.hpp>
#include <weft/select.hpp>
#include <weft/task_group.hpp>
#include <weft/this_fiber.hpp>

#include <sys/resource.h>

namespace {

using namespace stranger;
using namespace std::chrono_literals;

/// Runs until its input ends.
Child waiting_child() { return Command("cat").standard_input(Stdio::pipe()).spawn().value(); }

TEST(Wait, TellsTheExitCode) {
  in_fiber([] {
    for (const int code : std::vector<int>{0, 1, 2, 126, 127, 128, 255}) {
      const ExitStatus status = shell("exit " + std::to_string(code)).run().value();
      EXPECT_EQ(status.code(), code);
      EXPECT_EQ(status.signal(), std::nullopt);
      EXPECT_EQ(status.success(), code == 0);
      EXPECT_FALSE(status.core_dumped());
      EXPECT_EQ(status.to_string(), "exit code " + std::to_string(code));
    }
  });
}

TEST(Wait, TellsTheSignal) {
  in_fiber([] {
    for (const int number : std::vector<int>{SIGKILL, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE}) {
      const ExitStatus status = shell("kill -" + std::to_string(number) + " $$").run().value();
      EXPECT_EQ(status.signal(), number);
      EXPECT_EQ(status.code(), std::nullopt);
      EXPECT_FALSE(status.success());
    }
    EXPECT_EQ(shell("kill -TERM $$").run().value().to_string(), "killed by SIGTERM");
    // A code that a shell would use for a signal is none.
    EXPECT_EQ(shell("exit 143").run().value().code(), 143);
  });
}

TEST(Wait, TellsOfACore) {
  EXPECT_EQ(ExitStatus::of_signal(SIGSEGV, true).to_string(), "killed by SIGSEGV, core dumped");
  in_fiber([] {
    const Place place;
    const ExitStatus without = shell("ulimit -c 0; kill -SEGV $$").directory(place.path()).run().value();
    EXPECT_EQ(without.signal(), SIGSEGV);
    EXPECT_FALSE(without.core_dumped());
  });
}

TEST(Wait, StatusesAreEqualIfBothEndedTheSameWay) {
  EXPECT_EQ(ExitStatus(), ExitStatus::of_code(0));
  EXPECT_FALSE(ExitStatus::of_code(9) == ExitStatus::of_signal(9));
  EXPECT_FALSE(ExitStatus::of_signal(11) == ExitStatus::of_signal(11, true));
}

TEST(Wait, TellsTheTimeThatWasUsed) {
  in_fiber([] {
    const ExitStatus busy = shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done").run().value();
    EXPECT_GT(busy.usage().user_time, 1ms);
    EXPECT_GE(busy.usage().system_time, 0us);
  });
}

TEST(Wait, ReturnsTheSameAgain) {
  in_fiber([] {
    Child child = shell("exit 7").spawn().value();
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(7));
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(7));
    EXPECT_EQ(child.try_wait().value(), ExitStatus::of_code(7));
    EXPECT_EQ(child.stop().value(), ExitStatus::of_code(7));
    EXPECT_EQ(child.send_signal(0).error(), system_error(ESRCH));
    EXPECT_GT(child.id(), 0);
    EXPECT_EQ(child.release(), 0);
  });
}

TEST(Wait, ClosesTheInputFirst) {
  in_fiber([] {
    Child child = waiting_child();
    EXPECT_EQ(child.try_wait().error(), weft::Errc::would_block);
    EXPECT_TRUE(child.input().is_open());
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(0));
    EXPECT_FALSE(child.input().is_open());
  });
}

TEST(Wait, ADeadlineLeavesTheProcessAsItIs) {
  in_fiber([] {
    Child child = waiting_child();
    const weft::io::PipeWriter input = std::move(child.input());
    EXPECT_EQ(child.wait(1ms).error(), weft::Errc::timed_out);
    EXPECT_EQ(child.wait(weft::Deadline::after(-1s)).error(), weft::Errc::timed_out);
    EXPECT_EQ(child.try_wait().error(), weft::Errc::would_block);
    EXPECT_TRUE(child.kill());
    EXPECT_EQ(child.wait(1h).value(), ExitStatus::of_signal(SIGKILL));
  });
}

TEST(Wait, ACancelledOneLeavesTheProcessAsItIs) {
  in_fiber([] {
    Child child = waiting_child();
    weft::io::PipeWriter input = std::move(child.input());
    weft::Channel<bool> started(1);
    auto waiter = weft::spawn([&] {
      EXPECT_TRUE(started.send(true));
      return child.wait();
    });
    EXPECT_TRUE(started.receive());
    waiter.cancel();
    EXPECT_EQ(waiter.join_uncancellable().error(), weft::Errc::cancelled);
    EXPECT_EQ(child.try_wait().error(), weft::Errc::would_block);
    EXPECT_TRUE(input.close());
    EXPECT_EQ(child.wait().value(), ExitStatus::of_code(0));
  });
}

TEST(Wait, OfAnEndedProcessSucceedsAfterACancelAndADeadline) {
  in_fiber([] {
    Child child = Command("true").spawn().value();
    EXPECT_TRUE(child.wait());
    weft::CancelScope scope;
    scope.cancel();
    EXPECT_TRUE(child.wait().value().success());
    EXPECT_TRUE(child.wait(weft::Deadline::after(-1s)).value().success());
  });
}

TEST(Wait, EachOfManyWaitersGetsTheStatus) {
  for (const std::uint32_t threads : std::vector<std::uint32_t>{1, 4}) {
    in_fiber(
        [] {
          weft::ParallelContext other("other", {.parallelism = 2});
          for (int round = 0; round < 20; ++round) {
            Child child = shell("read line; exit 5").standard_input(Stdio::pipe()).spawn().value();
            weft::io::PipeWriter input = std::move(child.input());
            weft::TaskGroup<ExitStatus> group;
            for (int i = 0; i < 8; ++i) group.spawn([&] { return child.wait(); });
            for (int i = 0; i < 8; ++i) group.spawn(other, [&] { return child.wait(); });
            weft::yield();
            EXPECT_TRUE(input.close());
            const auto statuses = group.wait();
            ASSERT_TRUE(statuses);
            EXPECT_EQ(*statuses, std::vector<ExitStatus>(16, ExitStatus::of_code(5)));
          }
        },
        threads);
  }
}

TEST(Wait, IsABranchOfASelect) {
  in_fiber([] {
    Child child = waiting_child();
    int taken = 0;
    EXPECT_TRUE(
        weft::select(weft::readable(child, [&] { taken = 1; }), weft::after(1ms, [&] { taken = 2; })));
    EXPECT_EQ(taken, 2);
    child.input() = {};
    EXPECT_TRUE(weft::select(weft::readable(child, [&] { taken = 3; })));
    EXPECT_EQ(taken, 3);
    EXPECT_EQ(child.try_wait().value(), ExitStatus::of_code(0));
  });
}

TEST(Wait, WithoutAProcessEverythingIsClosed) {
  in_fiber([] {
    Child none;
    EXPECT_EQ(none.id(), 0);
    EXPECT_EQ(none.wait().error(), weft::Errc::closed);
    EXPECT_EQ(none.try_wait().error(), weft::Errc::closed);
    EXPECT_EQ(none.stop().error(), weft::Errc::closed);
    EXPECT_EQ(none.kill().error(), weft::Errc::closed);
    EXPECT_EQ(none.release(), 0);
    Child child = Command("true").spawn().value();
    Child moved = std::move(child);
    EXPECT_EQ(child.wait().error(), weft::Errc::closed);  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(moved.wait().value().success());
  });
}

TEST(Wait, WorksInAnotherContextAndOnAPlainThread) {
  Child left;
  in_fiber([&] {
    weft::ConcurrentContext other("other");
    Child child = shell("exit 4").spawn().value();
    EXPECT_EQ(other.spawn([&] { return child.wait(); }).join_uncancellable().value(), ExitStatus::of_code(4));
    left = shell("exit 6").spawn().value();
  });
  EXPECT_EQ(left.wait().value(), ExitStatus::of_code(6));
  EXPECT_FALSE(has_children());
}

TEST(Wait, SomebodyElseMayTakeTheStatusAway) {
  in_fiber([] {
    Child child = Command("true").spawn().value();
    int status = 0;
    EXPECT_EQ(::waitpid(-1, &status, 0), child.id());
    const auto waited = child.wait();
    EXPECT_EQ(waited.error(), system_error(ECHILD));
    EXPECT_EQ(waited.message(), "waiting for true: No child processes");
    EXPECT_EQ(child.try_wait().error(), system_error(ECHILD));
    EXPECT_EQ(child.kill().error(), system_error(ESRCH));
  });
}

}  // namespace
