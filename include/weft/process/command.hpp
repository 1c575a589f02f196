// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/buffer.hpp>
#include <weft/deadline.hpp>
#include <weft/process/child.hpp>
#include <weft/process/stdio.hpp>
#include <weft/result.hpp>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weft::process {

/// To which process group a new process belongs. Signals of a terminal (Ctrl-C) go to a group.
enum class ProcessGroup : std::uint8_t {
  kShared,   ///< that of this program
  kOwn,      ///< a new one, which it leads: Child ends all that are in it
  kSession,  ///< a new one in a new session, without a terminal
};

/// Options for Command::output().
struct OutputOptions {
  /// What the program reads from standard input, before the end of it. Must outlive the call.
  ConstBuffer input = {};
  /// The most bytes of standard output, and of standard error; more is Errc::message_too_large.
  std::size_t size_max = std::size_t{16} << 20;
  Deadline deadline = Deadline::never();
};

/// What a program has written, and how it has ended.
struct Output {
  ExitStatus status;
  std::string output;
  std::string error;
};

/// How to start a program: a description, which may be used several times.
///
///     auto log = weft::process::Command("git", {"log", "--oneline"}).directory("/src").output().value();
///     if (log.status.success()) show(log.output);
///
/// The program is started directly. There is no shell: an argument is passed as it is, whatever is in it.
///
/// What the process gets, unless it is said otherwise: the environment, working directory, user and process
/// group of this program; its standard input, output and error, and none of its other descriptors; the
/// blocked signals that this program was started with; the default actions of signals, except those that were
/// ignored when this program was started (`nohup`).
///
/// Thread safety: like a std::string.
class Command {
 public:
  /// A program with a slash is a path, relative to directory(). One without is looked for in the directories
  /// of PATH, that of the new process. Entries of PATH that are relative or empty are skipped.
  explicit Command(std::string program, std::vector<std::string> arguments = {});

  Command& argument(std::string argument);
  Command& arguments(std::vector<std::string> more);
  /// The name that the program sees as its own (argv[0]); by default the program as it was given.
  Command& argument_zero(std::string name);

  /// The environment. By default it is that of this program at the start of the process: no thread may change
  /// it at that time (setenv).
  Command& set_environment(std::string name, std::string value);
  Command& unset_environment(std::string name);
  /// Forgets all of it, what was set here included.
  Command& clear_environment();

  /// The working directory of the process.
  Command& directory(std::string path);

  /// The standard streams. By default they are inherited; by output() they are set as it says.
  Command& standard_input(Stdio input);
  Command& standard_output(Stdio output);
  Command& standard_error(Stdio error);
  /// The process gets this program's descriptor `number` as `as`. It must be open when the process is
  /// started. The open file is shared, as by Stdio::descriptor().
  Command& pass_descriptor(int number, int as);
  /// True: the process gets every descriptor that is not close-on-exec, as by execve(). By default it gets
  /// only those that are named here, also if the program has forgotten the flag elsewhere (Linux 5.11).
  Command& inherit_descriptors(bool inherit);

  Command& group(ProcessGroup group);
  /// How long Child::stop(), a cancelled run() or output(), and the destruction of a Child wait between
  /// SIGTERM and SIGKILL. 5 seconds by default. Zero or less: SIGKILL at once.
  Command& grace(std::chrono::nanoseconds grace);
  /// The kernel sends this signal to the process when this program ends, however it ends. Not to the children
  /// of the process; and not if its program has more rights than this one (set-user-ID).
  Command& die_with_parent(int signal = SIGKILL);

  /// Starts the program, and returns when it runs. Errors name the program, the directory or the descriptor:
  /// ENOENT (no such program; or the interpreter that it names), EACCES, ENOEXEC, E2BIG (arguments and
  /// environment are too large), EINVAL (a NUL in a text, a name of the environment that is empty or has a
  /// '=', two descriptors that are to have the same number), EBADF, EMFILE, ENFILE, EAGAIN (too many
  /// processes), ENOMEM. Then there is no process. Errc::unsupported in a simulated world.
  ///
  /// Suspends: a thread of the library waits until the kernel has read the program. Cancellable until the
  /// start has begun (Errc::cancelled, Errc::timed_out); from then on it returns the process. Call it in a
  /// fiber.
  Result<Child> spawn(Deadline deadline = Deadline::never()) const;

  /// Starts the program and waits for its end. The standard streams are inherited unless set; pipes have
  /// nobody at the other end. Cancellable (Errc::cancelled, Errc::timed_out): the process is then ended, like
  /// Child::stop(), before the call returns. Other errors: those of spawn() and Child::wait().
  Result<ExitStatus> run(Deadline deadline = Deadline::never()) const;

  /// Starts the program, writes `options.input` to it, collects what it writes to standard output and
  /// standard error, and waits for its end. All at the same time, so any sizes are fine. Standard input is
  /// `options.input`, or the stream that was set if there is none, by default /dev/null. Output and error are
  /// pipes unless set. A program that ends, or closes its input, without reading all of it is no error, and
  /// neither is an exit code that is not 0: look at `status`.
  ///
  /// Returns at the end of the streams: what the program has started and left behind with them is waited for.
  /// Cancellable (Errc::cancelled, Errc::timed_out): the process is then ended, like Child::stop(), before
  /// the call returns; what was collected is lost. The same for Errc::message_too_large.
  Result<Output> output(const OutputOptions& options = {}) const;

 private:
  friend class Launch;

  std::string program_;
  std::vector<std::string> arguments_;
  std::optional<std::string> argument_zero_;
  std::map<std::string, std::optional<std::string>> environment_;  // nullopt: unset
  bool clears_environment_ = false;
  std::optional<std::string> directory_;
  Stdio input_;
  Stdio output_;
  Stdio error_;
  struct Passed {
    int number;
    int as;
  };
  std::vector<Passed> passed_;
  bool inherits_descriptors_ = false;
  ProcessGroup group_ = ProcessGroup::kShared;
  std::chrono::nanoseconds grace_ = std::chrono::seconds(5);
  int death_signal_ = 0;
};

}  // namespace weft::process
