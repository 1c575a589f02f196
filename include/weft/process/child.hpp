// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/io/pipe.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/result.hpp>

#include <chrono>
#include <memory>
#include <sys/types.h>

namespace weft::process {

class ChildCore;

namespace detail {
struct DeleteChild {
  void operator()(ChildCore* core) const noexcept;
};
}  // namespace detail

/// A process that Command::spawn() has started.
///
///     weft::process::Child server = weft::process::Command("server").spawn().value();
///     ...
///     weft::process::ExitStatus status = server.stop().value();   // SIGTERM, and SIGKILL after the grace
///
/// In a select, `readable(child, f)` is the branch that is taken when the process has ended.
///
/// Destruction: ends the process, if it has not ended, like stop(), and reaps it. Suspends the calling fiber
/// until then, also one that was cancelled; blocks a plain thread. So no process outlives its Child, and none
/// stays behind as a zombie, with two exceptions: one that still runs five seconds after SIGKILL, as the
/// kernel holds it in the middle of a call to a dead disk, and one that may not be killed (set-user-ID). They
/// are left to themselves, and reaped when the next process is started.
///
/// Signals reach the right process or none: they go by a descriptor, not by a number, which another process
/// may have by then. The program's own handlers of SIGCHLD, its SignalSet{SIGCHLD}, and its calls of
/// waitpid() for other children are not disturbed. A program that calls waitpid(-1), or ignores SIGCHLD,
/// takes away the status of every child: wait() then fails with ECHILD.
///
/// Thread safety: several fibers, of any contexts, may call wait(), try_wait(), stop() and the signals at
/// once; each wait gets the status. Moving, destroying and release() require exclusive access. In a child of
/// fork() an inherited Child belongs to the parent: every call fails with Errc::closed, and its destruction
/// does nothing to the process.
class Child {
 public:
  /// Without a process: every call fails with Errc::closed.
  Child() noexcept;
  Child(Child&&) noexcept;
  /// Ends and reaps the process that it has had.
  Child& operator=(Child&&) noexcept;
  ~Child();

  /// The number of the process, also when it has ended; 0 without one.
  pid_t id() const noexcept;

  /// This program's ends of the pipes that the command has asked for; the others are closed. An end may be
  /// moved out, and live longer. Whoever has both `input()` and `output()` must read while writing: the
  /// process stops when nobody reads what it writes. Command::output() does.
  io::PipeWriter& input() noexcept { return input_; }
  io::PipeReader& output() noexcept { return output_; }
  io::PipeReader& error() noexcept { return error_; }

  /// Waits until the process has ended, reaps it, and returns how it has ended; further calls return the
  /// same. Closes input() first: most programs wait for the end of it. Move it out to go on writing.
  ///
  /// Suspends. Cancellable (Errc::cancelled, Errc::timed_out at the deadline or that of the enclosing scope):
  /// the process goes on. ECHILD: see above. Processes that this one has started may still run.
  Result<ExitStatus> wait(Deadline deadline = Deadline::never());
  /// The same without a wait: Errc::would_block while the process runs. input() stays open. Any thread.
  Result<ExitStatus> try_wait();

  /// Ends the process: closes input(), sends SIGTERM, sends SIGKILL when it has not ended after the grace
  /// (Command::grace()), and reaps it. No grace: SIGKILL at once. With a group of its own the signals go to
  /// the whole group, and what of it runs when the process has ended is killed.
  ///
  /// Returns how it has ended. Suspends, not cancellable: returns after the grace, and a moment for SIGKILL,
  /// at the latest. Errc::timed_out: it still runs five seconds after SIGKILL. EPERM: its program has more
  /// rights than this one (set-user-ID), and goes on.
  Result<ExitStatus> stop();
  Result<ExitStatus> stop(std::chrono::nanoseconds grace);

  /// Sends a signal to the process, or to its group if it has one of its own. ESRCH if the process has ended
  /// and was waited for. Does not suspend. Any thread.
  Result<void> send_signal(int number);
  Result<void> terminate();  ///< SIGTERM
  Result<void> kill();       ///< SIGKILL

  /// Gives the process up: nobody ends it, and the caller reaps it, by waitpid() with the number that is
  /// returned. The pipes are closed unless they were moved out. 0 if there is no process, or it has been
  /// waited for. Does not suspend.
  pid_t release();

 private:
  friend class Launch;
  friend struct weft::detail::StreamAccess;
  weft::detail::DescriptorHandle descriptor() const noexcept;

  std::unique_ptr<ChildCore, detail::DeleteChild> core_;
  io::PipeWriter input_;
  io::PipeReader output_;
  io::PipeReader error_;
};

}  // namespace weft::process
