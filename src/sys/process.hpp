// SPDX-License-Identifier: Apache-2.0
#pragma once

// Processes that this one has started, by file descriptors that stand for them: a number may belong to
// another process a moment later, a descriptor never does. Linux 5.4 and later.

#include "sys/child_plan.hpp"
#include "sys/fd.hpp"

#include <weft/result.hpp>

#include <optional>
#include <sys/resource.h>
#include <sys/types.h>

namespace weft::sys {

struct StartedProcess {
  Fd process;  ///< readable when it has ended
  pid_t pid;
};

/// Starts a process, and returns when it runs its program, or could not: then `plan` says which step has
/// failed, and no process is left. Blocks the calling thread until then. Needs 64 KiB of stack. EAGAIN,
/// ENOMEM, EMFILE: there is no process.
Result<StartedProcess> start_process(ChildPlan& plan) noexcept;

/// How a process has ended.
struct EndOfProcess {
  bool exited;  ///< `value` is its exit code; otherwise the signal that has killed it
  bool core_dumped;
  int value;
  rusage usage;
};

enum class Reap : bool { kNo, kYes };

/// How it has ended; null: it runs. Does not wait. Only the first one who asks with Reap::kYes gets it.
/// ECHILD: somebody else did.
Result<std::optional<EndOfProcess>> end_of_process(int process, Reap reap) noexcept;

/// ESRCH: it has ended and was reaped.
Result<void> signal_process(int process, int signal_number) noexcept;
/// The same for all processes of the group that the process leads. REQUIRES: it was not reaped.
Result<void> signal_process_group(int process, pid_t pid, int signal_number) noexcept;

}  // namespace weft::sys
