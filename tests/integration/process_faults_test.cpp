// SPDX-License-Identifier: Apache-2.0
// What is said when the kernel refuses a part of starting, waiting for or ending a process; and that nothing
// is left then.
#include "base/atomic.hpp"
#include "base/sanitizers.hpp"
#include "support/any_context.hpp"
#include "support/processes.hpp"
#include "sys/fault.hpp"

#include <weft/cancel_scope.hpp>
#include <weft/run.hpp>
#include <weft/this_fiber.hpp>

#include <csignal>
#include <functional>
#include <thread>
#include <unistd.h>
#include <vector>

namespace weft::test {
namespace {

using namespace std::chrono_literals;
using sys::Call;
using sys::FaultPlan;
using sys::FaultRange;

std::error_code of_kernel(int value) { return {value, std::system_category()}; }

/// All three streams are something else.
Command with_streams(Command command) {
  command.standard_input(Stdio::null()).standard_output(Stdio::pipe()).standard_error(Stdio::pipe());
  return command;
}

class ProcessFaults : public testing::Test {
 protected:
  /// As a fiber. Afterwards no descriptor is open that was not before, and no child is left.
  void run(const std::function<void()>& body) {
    AnyContext context(AnyContextKind::kParallel2);
    context
        .spawn([&] {
          warm_up();
          const std::size_t before = open_descriptors();
          body();
          EXPECT_TRUE(none_is_left_open(before));
          EXPECT_FALSE(has_children());
          warm_up();  // the next one is not disturbed
        })
        .join_uncancellable();
  }
};

TEST_F(ProcessFaults, EachRefusalIsTheErrorOfTheStart) {
  struct Case {
    Call call;
    std::uint64_t skip;
    std::vector<int> errors;
    std::string about;
  };
  const std::vector<Case> cases = {
      {Call::open, 0, {EMFILE, ENFILE, EACCES, ENOENT}, "opening /dev/null: "},
      {Call::pipe, 0, {EMFILE, ENFILE}, "making a pipe for standard output: "},
      {Call::pipe, 1, {EMFILE, ENFILE}, "making a pipe for standard error: "},
      {Call::fcntl, 0, {EBADF}, "making a pipe for standard output: "},
      {Call::clone, 0, {EAGAIN, ENOMEM, EMFILE, ENOSYS, EPERM}, "starting /bin/true: "},
      {Call::child_step, 0, {EPERM, ESRCH}, "starting /bin/true: "},
      {Call::child_step, 1, {ENOENT, EACCES, ELOOP}, "changing to the directory /: "},
      {Call::child_step, 2, {EMFILE, EBADF, ENOSYS}, "starting /bin/true: "},
      {Call::child_step, 3, {EINVAL}, "starting /bin/true: "},
      {Call::execute,
       0,
       {ENOENT, EACCES, E2BIG, ENOMEM, ENOEXEC, ETXTBSY, EIO, EAGAIN},
       "starting /bin/true: "},
  };
  for (const Case& each : cases) {
    for (const int error : each.errors) {
      run([&] {
        FaultPlan faults;
        faults.fail(each.call, error, {.skip = each.skip});
        const Result<Child> child = with_streams(Command("/bin/true")).directory("/").spawn();
        EXPECT_EQ(child.error(), of_kernel(error)) << to_string(each.call) << each.skip;
        EXPECT_EQ(child.message().find(each.about), 0u) << child.message();
        EXPECT_EQ(faults.applied(), 1u);
      });
    }
  }
}

TEST_F(ProcessFaults, EachRefusalIsTheErrorOfOutput) {
  for (const Call call : std::vector<Call>{Call::pipe, Call::clone, Call::child_step, Call::execute}) {
    run([&] {
      FaultPlan faults;
      faults.fail(call, EMFILE);
      EXPECT_EQ(Command("/bin/cat").output({.input = "text"}).error(), of_kernel(EMFILE)) << to_string(call);
    });
  }
}

TEST_F(ProcessFaults, AFailedWaitIsItsErrorAndTheProcessIsReapedAllTheSame) {
  for (const int error : std::vector<int>{EINVAL, ENOMEM, ENOSYS}) {
    run([&] {
      FaultPlan faults;
      faults.fail(Call::wait_process, error);
      const auto status = Command("/bin/true").run();
      EXPECT_EQ(status.error(), of_kernel(error));
      EXPECT_EQ(status.message().find("waiting for /bin/true: "), 0u) << status.message();
    });
  }
}

TEST_F(ProcessFaults, AnInterruptionIsNoError) {
  run([&] {
    FaultPlan faults;
    for (const Call call : std::vector<Call>{Call::wait_process, Call::open, Call::fcntl, Call::read,
                                             Call::write, Call::epoll_wait})
      faults.fail(call, EINTR, {.times = 2});
    EXPECT_EQ(Command("/bin/cat").output({.input = "text"}).value().output, "text");
  });
}

TEST_F(ProcessFaults, WithoutARegistrationTheProcessIsKilledAtOnce) {
  for (const int error : std::vector<int>{ENOSPC, ENOMEM}) {
    run([&] {
      FaultPlan faults;
      faults.fail(Call::epoll_add, error, {.times = FaultRange::kAlways});
      EXPECT_EQ(Command("/bin/sleep", {"1000"}).run().error(), of_kernel(error));
      EXPECT_GE(faults.applied(), 1u);
    });
  }
}

TEST_F(ProcessFaults, ASignalThatIsRefusedIsToldAndTheGraceGoesOn) {
  run([&] {
    Child child = Command("/bin/sleep", {"1000"}).spawn().value();
    {
      FaultPlan faults;
      faults.fail(Call::signal_process, EPERM);
      const Result<void> sent = child.terminate();
      EXPECT_EQ(sent.error(), of_kernel(EPERM));
      EXPECT_EQ(sent.message(), "sending a signal to /bin/sleep: Operation not permitted");
      faults.fail(Call::signal_process, EPERM);
      EXPECT_EQ(child.stop(1ms).value(), ExitStatus::of_signal(SIGKILL));
    }
  });
}

TEST_F(ProcessFaults, AProcessThatMayNotBeKilledIsReapedWhenItHasEnded) {
  run([&] {
    io::PipeWriter input;
    {
      Child child = Command("/bin/cat").standard_input(Stdio::pipe()).grace(1ms).spawn().value();
      input = std::move(child.input());
      FaultPlan faults;
      faults.fail(Call::signal_process, EPERM, {.times = FaultRange::kAlways});
      EXPECT_EQ(child.stop().error(), of_kernel(EPERM));
      EXPECT_EQ(child.try_wait().error(), Errc::would_block);
      child = Child();  // it runs on, and is nobody's
    }
    EXPECT_TRUE(has_children());
    EXPECT_TRUE(input.close());
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | __WALL), 0);  // it has ended
    warm_up();                                                            // and is reaped with the next start
  });
}

TEST_F(ProcessFaults, AGroupIsSignalledAlsoByAnOlderKernel) {
  run([&] {
    Child child = shell("sleep 1000 & echo; wait")
                      .standard_output(Stdio::pipe())
                      .group(process::ProcessGroup::kOwn)
                      .spawn()
                      .value();
    char byte[1];
    EXPECT_EQ(child.output().read_some(byte).value(), 1u);
    FaultPlan faults;
    faults.fail(Call::signal_process, EINVAL);  // of the flag: killed by its number
    EXPECT_TRUE(child.kill());
    EXPECT_EQ(child.wait().value(), ExitStatus::of_signal(SIGKILL));
    EXPECT_EQ(child.output().read_some(byte).error(), Errc::end_of_file);  // the sleep is gone
  });
}

TEST_F(ProcessFaults, AStartThatHangsStopsNoOtherFiber) {
  ConcurrentContext context("one thread");
  FaultPlan faults;
  Atomic<bool> hangs{false}, released{false};
  faults.run(Call::clone, [&](int) {
    hangs.store(true);
    while (!released.load()) std::this_thread::yield();
  });
  auto start = context.spawn([] { return Command("/bin/true").run(); });
  context
      .spawn([&] {
        while (!hangs.load()) yield();  // it has its turns, of the same thread
        released.store(true);
      })
      .join_uncancellable();
  EXPECT_TRUE(start.join_uncancellable().value().success());
}

// In a child of fork() the pool has no threads yet.
TEST(ProcessFaultsOfThreads, WithoutAThreadForTheStartThereIsNoProcess) {
  if (WEFT_TSAN) GTEST_SKIP() << "ThreadSanitizer: no threads in a child of a process that has some";
  const pid_t fork = ::fork();
  if (fork == 0) {
    ::alarm(30);
    ::_exit(weft::run([] {
      FaultPlan faults;
      faults.fail(Call::thread, EAGAIN, {.times = FaultRange::kAlways});
      const auto status = Command("/bin/true").run();
      if (status.error() != of_kernel(EAGAIN) || has_children()) return 1;
      return status.message().find("starting /bin/true: ") == 0 ? 0 : 2;
    }));
  }
  int status = -1;
  EXPECT_EQ(::waitpid(fork, &status, 0), fork);
  EXPECT_EQ(status, 0);
}

TEST_F(ProcessFaults, ACancelWhileItIsStartedComesToTheWait) {
  run([&] {
    CancelScope scope;
    FaultPlan faults;
    faults.run(Call::clone, [&](int) { scope.cancel(); });
    Result<Child> child = Command("/bin/sleep", {"1000"}).spawn();
    ASSERT_TRUE(child);
    EXPECT_EQ(child->wait().error(), Errc::cancelled);
  });
}

}  // namespace
}  // namespace weft::test
