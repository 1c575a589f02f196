// SPDX-License-Identifier: Apache-2.0
// The child's half of starting a process: from its creation to its program. It runs in the memory of the
// parent and with the thread-locals of the thread that waits for it. So nothing but system calls by hand: no
// lock, no allocation, no errno, no call that the dynamic linker would have to find first, and no sanitizer
// (CMakeLists.txt), whose books are the parent's.
#include "sys/child_plan.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace weft::sys {
namespace {

#if defined(__x86_64__) && defined(__LP64__)
long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept {
  long raw = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  asm volatile("syscall"
               : "=a"(raw)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return raw;
}
#else
long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) noexcept {
  const long raw = ::syscall(number, a, b, c, d, e);
  return raw < 0 ? -errno : raw;
}
#endif

long text(const void* pointer) noexcept { return reinterpret_cast<long>(pointer); }

/// The kernel's struct: zero is the default action.
struct KernelAction {
  unsigned long handler;
  unsigned long flags;
  unsigned long restorer;
  std::uint64_t mask;
};

[[noreturn]] void fail(ChildPlan& plan, ChildStep step, long raw) noexcept {
  plan.failed_step = step;
  plan.error = static_cast<int>(-raw);
  for (;;) call(SYS_exit_group, 127);
}

void require(ChildPlan& plan, ChildStep step, long raw) noexcept {
  if (raw < 0) fail(plan, step, raw);
}

void begin(ChildPlan& plan, ChildStep step) noexcept {
  const int injected = plan.injected[static_cast<std::size_t>(step)];
  if (injected != 0) fail(plan, step, -injected);
}

void leave_parent(ChildPlan& plan) noexcept {
  begin(plan, ChildStep::kSession);
  if (plan.group == ChildGroup::kSession) require(plan, ChildStep::kSession, call(SYS_setsid));
  if (plan.group == ChildGroup::kOwn) require(plan, ChildStep::kSession, call(SYS_setpgid, 0, 0));
  if (plan.death_signal == 0) return;
  require(plan, ChildStep::kSession, call(SYS_prctl, PR_SET_PDEATHSIG, plan.death_signal));
  // A parent that has died meanwhile sends nothing any more.
  if (call(SYS_getppid) != plan.parent) fail(plan, ChildStep::kSession, -ESRCH);
}

bool is_target(const ChildPlan& plan, int number) noexcept {
  for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
    if (plan.descriptors[i].target == number) return true;
  }
  return false;
}

/// A source that another descriptor is going to replace is moved out of the way first.
void rescue_sources(ChildPlan& plan) noexcept {
  int highest = STDERR_FILENO;
  for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
    if (plan.descriptors[i].target > highest) highest = plan.descriptors[i].target;
  }
  for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
    ChildDescriptor& each = plan.descriptors[i];
    if (each.source == each.target || !is_target(plan, each.source)) continue;
    plan.failed_target = each.target;
    const long moved = call(SYS_fcntl, each.source, F_DUPFD_CLOEXEC, highest + 1);
    require(plan, ChildStep::kDescriptors, moved);
    each.source = static_cast<int>(moved);
  }
}

void place_descriptors(ChildPlan& plan) noexcept {
  begin(plan, ChildStep::kDescriptors);
  rescue_sources(plan);
  plan.failed_target = -1;
  // Before they are placed: what is placed is not close-on-exec any more.
  if (plan.closes_others) {
    const long raw = call(SYS_close_range, STDERR_FILENO + 1, static_cast<long>(~0U), CLOSE_RANGE_CLOEXEC);
    require(plan, ChildStep::kDescriptors, raw);
  }
  for (std::size_t i = 0; i < plan.descriptor_count; ++i) {
    const ChildDescriptor& each = plan.descriptors[i];
    plan.failed_target = each.target;
    // A duplicate at its own number would keep the flag.
    const long raw = each.source == each.target ? call(SYS_fcntl, each.source, F_SETFD, 0)
                                                : call(SYS_dup3, each.source, each.target, 0);
    require(plan, ChildStep::kDescriptors, raw);
  }
}

/// Handlers first: with the mask of the program one could run here.
void reset_signals(ChildPlan& plan) noexcept {
  begin(plan, ChildStep::kSignals);
  for (int number = 1; number <= 64; ++number) {
    if (number == SIGKILL || number == SIGSTOP) continue;
    KernelAction action = {};
    if ((plan.ignored_signals >> (number - 1) & 1) != 0) action.handler = 1;  // SIG_IGN
    require(plan, ChildStep::kSignals,
            call(SYS_rt_sigaction, number, text(&action), 0, sizeof(std::uint64_t)));
  }
  require(
      plan, ChildStep::kSignals,
      call(SYS_rt_sigprocmask, SIG_SETMASK, text(&plan.blocked_signals), 0, sizeof(plan.blocked_signals)));
}

/// Not there, so that a program of the same name in another directory may be meant.
bool is_missing(long raw) noexcept {
  return raw == -ENOENT || raw == -ENOTDIR || raw == -ENODEV || raw == -ESTALE || raw == -ETIMEDOUT;
}

[[noreturn]] void execute(ChildPlan& plan) noexcept {
  begin(plan, ChildStep::kExecute);
  long refused = 0;
  long last = -ENOENT;
  for (const char* const* program = plan.programs; *program != nullptr; ++program) {
    last = call(SYS_execve, text(*program), text(plan.arguments), text(plan.environment));
    if (last == -EACCES) refused = last;
    if (last != -EACCES && !is_missing(last)) break;
  }
  fail(plan, ChildStep::kExecute, refused != 0 && is_missing(last) ? refused : last);
}

}  // namespace

int run_child(void* plan) {
  auto& of = *static_cast<ChildPlan*>(plan);
  leave_parent(of);
  begin(of, ChildStep::kDirectory);
  if (of.directory != nullptr) require(of, ChildStep::kDirectory, call(SYS_chdir, text(of.directory)));
  place_descriptors(of);
  reset_signals(of);
  execute(of);
}

}  // namespace weft::sys
