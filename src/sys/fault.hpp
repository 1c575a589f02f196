// SPDX-License-Identifier: Apache-2.0
#pragma once

// Fault injection and call counts: every wrapper in sys asks `intercept` before each attempt.
//
// Thread safety: everything here may be used from any thread at any time.
// Cost when unused: one relaxed load of a global that nobody writes, and a predicted branch, beside a syscall
// of 100 ns and more. It is compiled into release builds on purpose: the optimized, LTO build is what the
// tests of the counts (L1: zero epoll_ctl per request) and of the error paths have to hold in.
// Guarantees: rules are matched in the order they were added; the first that matches and is not used up
// decides. A rule's action runs with no lock held, so it may block its thread to hold a race's window open.

#include "base/atomic.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>

namespace weft::sys {

/// What can be made to fail, and is counted. One kind per syscall and purpose.
enum class Call : std::uint8_t {
  socket,
  bind,
  listen,
  accept,
  connect,
  shutdown,
  get_option,
  set_option,
  name,
  recv,
  send,
  recvmsg,
  sendmsg,
  recvmmsg,
  sendmmsg,
  read,
  write,
  close,
  fcntl,
  open,
  pipe,
  epoll_create,
  epoll_add,
  epoll_modify,
  epoll_remove,
  epoll_wait,
  poll,
  event_fd_create,
  event_fd_notify,
  event_fd_drain,
  timer_fd_create,
  timer_fd_set,
  ring_create,
  ring_enter,
  ring_send,  ///< one message of a ring_enter, no syscall of its own; rules for `send` match it, too
  futex_wait,
  futex_wake,
  mmap,
  munmap,
  mprotect,
  madvise,
  mincore,
  status,
  unlink,
  chmod,
  splice,
  pread,
  pread_now,  ///< a read that does not wait for the disk
  pwrite,
  fsync,
  truncate,
  rename,
  make_directory,
  read_directory,
  copy_range,
  file_lock,
  send_file,
  signal,
  thread,
  clone,
  child_step,  ///< what a new process does before its program, no call of this process
  execute,     ///< the same for the program itself
  wait_process,
  signal_process,
};

inline constexpr std::size_t kCallKinds = static_cast<std::size_t>(Call::signal_process) + 1;

const char* to_string(Call call) noexcept;

/// What the next attempt of a call has to do: fail, or move at most `size_max` bytes (or events), or neither.
struct Fault {
  int error = 0;
  std::size_t size_max = std::numeric_limits<std::size_t>::max();
};

/// How many plans and counters are alive. Relaxed everywhere: a call that races with the start of a plan
/// may or may not see it, which no test may depend on.
extern Atomic<std::uint32_t> instruments;

[[gnu::cold]] Fault intercept_slow(Call call, int fd) noexcept;

/// Asked by each wrapper before each attempt. `fd` is -1 where there is none.
[[gnu::always_inline]] inline Fault intercept(Call call, int fd = -1) noexcept {
  if (instruments.load(relaxed) == 0) [[likely]]
    return {};
  return intercept_slow(call, fd);
}

/// One attempt: `syscall(size_max)` returns a raw answer. Always inlined: a lambda's call has no errno of
/// its own to carry over.
template <class Syscall>
[[gnu::always_inline]] inline long attempt(Call call, int fd, Syscall&& syscall) noexcept {
  const Fault fault = intercept(call, fd);
  if (fault.error != 0) [[unlikely]]
    return -fault.error;
  return syscall(fault.size_max);
}

/// Attempts until the answer is not EINTR.
template <class Syscall>
[[gnu::always_inline]] inline long retry(Call call, int fd, Syscall&& syscall) noexcept {
  for (;;) {
    const long raw = attempt(call, fd, syscall);
    if (raw != -EINTR) [[likely]]
      return raw;
  }
}

/// Which of the matching calls a rule applies to.
struct FaultRange {
  static constexpr std::uint64_t kAlways = std::numeric_limits<std::uint64_t>::max();
  static constexpr int kAnyFd = -1;

  std::uint64_t skip = 0;   ///< calls to leave alone first
  std::uint64_t times = 1;  ///< calls to apply to after that
  int fd = kAnyFd;          ///< only calls on this descriptor
};

/// A script of outcomes, in force from its construction to its destruction. Several may be alive.
///
///     FaultPlan faults;
///     faults.fail(Call::accept, EMFILE, {.times = 3});
///     faults.shorten(Call::send, 1, {.times = FaultRange::kAlways});
///     faults.run(Call::epoll_remove, [&](int fd) { entered.set(); leave.wait(); });
class FaultPlan {
 public:
  FaultPlan();
  ~FaultPlan();
  FaultPlan(const FaultPlan&) = delete;
  FaultPlan& operator=(const FaultPlan&) = delete;

  /// The calls fail with this errno without reaching the kernel.
  void fail(Call call, int error, FaultRange range = {});
  /// The calls move at most `size_max` bytes, iovec bytes, or events.
  void shorten(Call call, std::size_t size_max, FaultRange range = {});
  /// `action(fd)` runs before each of the calls, which then goes on to the kernel, or fails with `error` if
  /// that is not 0. It must not throw.
  void run(Call call, std::function<void(int fd)> action, FaultRange range = {}, int error = 0);
  /// How many calls this plan changed so far.
  std::uint64_t applied() const noexcept;
};

/// How many attempts of each kind were made, injected failures and retries included.
class CallCounts {
 public:
  std::uint64_t operator[](Call call) const noexcept { return counts_[static_cast<std::size_t>(call)]; }
  std::uint64_t epoll_ctl() const noexcept;
  std::uint64_t futex() const noexcept;
  std::uint64_t event_fd() const noexcept;
  std::uint64_t total() const noexcept;  ///< of syscalls

  friend CallCounts operator-(const CallCounts& a, const CallCounts& b) noexcept;

 private:
  friend class CallCounter;
  std::array<std::uint64_t, kCallKinds> counts_{};
};

/// Counts calls of the whole process, all threads, while it is alive.
class CallCounter {
 public:
  CallCounter() noexcept;
  ~CallCounter();
  CallCounter(const CallCounter&) = delete;
  CallCounter& operator=(const CallCounter&) = delete;

  /// The calls since construction or the last reset.
  CallCounts counts() const noexcept;
  void reset() noexcept;

 private:
  CallCounts base_;
};

}  // namespace weft::sys
