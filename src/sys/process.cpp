// SPDX-License-Identifier: Apache-2.0
#include "sys/process.hpp"

#include "base/sanitizers.hpp"
#include "sys/errors.hpp"
#include "sys/fault.hpp"
#include "sys/signal.hpp"
#include "sys/syscall.hpp"

#include <cerrno>
#include <csignal>
#include <linux/sched.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#if WEFT_TSAN
// The sanitizer intercepts clone(), and takes the child for one of fork(), with a memory of its own.
extern "C" int __clone(int (*function)(void*), void* stack, int flags, void* argument, ...) noexcept;
#define WEFT_CLONE ::__clone
#else
#define WEFT_CLONE ::clone
#endif

namespace weft::sys {
namespace {

constexpr int kProcessDescriptor = 3;  // P_PIDFD
constexpr unsigned kProcessGroup = 4;  // PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9
constexpr std::size_t kStackSize = 32 * 1024;

/// Also children that have not begun their program yet: they do not raise SIGCHLD, and a wait for "all
/// children" does not see them.
constexpr int kAnyChild = __WALL;

void inject_steps(ChildPlan& plan) noexcept {
  for (std::size_t step = 0; step < kChildSteps; ++step) {
    const bool executes = step == static_cast<std::size_t>(ChildStep::kExecute);
    plan.injected[step] = intercept(executes ? Call::execute : Call::child_step).error;
  }
}

long raw_wait(int process, siginfo_t& info, int options, rusage& usage) noexcept {
  return retry(Call::wait_process, process, [&](std::size_t) {
    return raw_answer(::syscall(SYS_waitid, kProcessDescriptor, process, &info, options, &usage));
  });
}

/// It has ended, or is just about to.
void reap_failed(int process) noexcept {
  siginfo_t info{};
  rusage usage{};
  while (::syscall(SYS_waitid, kProcessDescriptor, process, &info, WEXITED | kAnyChild, &usage) < 0 &&
         errno == EINTR) {}
}

/// A kernel before 5.2 does not know the flag, and ignores it.
std::error_code refuse_without_descriptor(pid_t pid) noexcept {
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, kAnyChild) < 0 && errno == EINTR) {}
  return error_of(ENOSYS);
}

EndOfProcess end_of(const siginfo_t& info, const rusage& usage) noexcept {
  return {info.si_code == CLD_EXITED, info.si_code == CLD_DUMPED, info.si_status, usage};
}

}  // namespace

[[gnu::noinline]] Result<StartedProcess> start_process(ChildPlan& plan) noexcept {
  if (instruments.load(relaxed) != 0) inject_steps(plan);
  alignas(16) std::byte stack[kStackSize];
  int process = -1;
  long pid = 0;
  {
    // A handler of the program would run in the child, too, in the memory of both.
    const BlockedSignals none(all_signals());
    pid = attempt(Call::clone, -1, [&](std::size_t) {
      return raw_answer(
          WEFT_CLONE(run_child, stack + kStackSize, CLONE_VM | CLONE_VFORK | CLONE_PIDFD, &plan, &process));
    });
  }
  if (pid < 0) return error_of(static_cast<int>(-pid));
  if (process < 0) return refuse_without_descriptor(static_cast<pid_t>(pid));
  Fd owned(process);
  if (plan.error == 0) return StartedProcess{std::move(owned), static_cast<pid_t>(pid)};
  reap_failed(process);
  return error_of(plan.error);
}

[[gnu::noinline]] Result<std::optional<EndOfProcess>> end_of_process(int process, Reap reap) noexcept {
  siginfo_t info{};
  rusage usage{};
  const int keep = reap == Reap::kNo ? WNOWAIT : 0;
  const long raw = raw_wait(process, info, WEXITED | WNOHANG | kAnyChild | keep, usage);
  if (raw < 0) return error_of(static_cast<int>(-raw));
  if (info.si_pid == 0) return std::optional<EndOfProcess>();
  return std::optional<EndOfProcess>(end_of(info, usage));
}

[[gnu::noinline]] Result<void> signal_process(int process, int signal_number) noexcept {
  return void_result(attempt(Call::signal_process, process, [&](std::size_t) {
    return raw_answer(::syscall(SYS_pidfd_send_signal, process, signal_number, nullptr, 0));
  }));
}

[[gnu::noinline]] Result<void> signal_process_group(int process, pid_t pid, int signal_number) noexcept {
  const long raw = attempt(Call::signal_process, process, [&](std::size_t) {
    return raw_answer(::syscall(SYS_pidfd_send_signal, process, signal_number, nullptr, kProcessGroup));
  });
  if (raw != -EINVAL || signal_number < 0 || signal_number > SIGRTMAX) return void_result(raw);
  return void_result(attempt(Call::signal_process, process,
                             [&](std::size_t) { return raw_answer(::kill(-pid, signal_number)); }));
}

}  // namespace weft::sys
