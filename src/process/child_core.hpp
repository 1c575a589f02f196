// SPDX-License-Identifier: Apache-2.0
#pragma once

// A process, by the descriptor that stands for it (docs/design/processes.md).
//
// Thread safety: any thread, several at a time; one mutex guards what is known of the end, over the system
// call that asks for it, so that of two that wait one reaps and the other finds what it has stored.
// Invariants are those of the page: PR1 to PR4.

#include "base/fork_count.hpp"
#include "event_loop/descriptor/descriptor.hpp"
#include "sys/process.hpp"

#include <weft/deadline.hpp>
#include <weft/process/exit_status.hpp>
#include <weft/result.hpp>

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

namespace weft::process {

using sys::Reap;

class ChildCore {
 public:
  ChildCore(std::string name, bool leads_group, std::chrono::nanoseconds grace)
      : name_(std::move(name)), leads_group_(leads_group), grace_(grace) {}
  ~ChildCore();
  ChildCore(const ChildCore&) = delete;
  ChildCore& operator=(const ChildCore&) = delete;

  /// Takes the process over. If this fails, it is there all the same, without an event loop.
  Result<void> take(sys::StartedProcess process) noexcept;

  pid_t pid() const noexcept { return pid_; }
  const std::string& name() const noexcept { return name_; }
  std::chrono::nanoseconds grace() const noexcept { return grace_; }
  DescriptorHandle descriptor() const noexcept { return handle_; }
  /// It is the child of another process: of the parent of this one.
  bool inherited() const noexcept { return forks_ != fork_count; }

  /// How it has ended, if that is known here.
  std::optional<ExitStatus> status() const;
  /// Whether it has ended. With Reap::kYes status() is known then, and what it was in is given back.
  Result<bool> look(Reap reap);
  /// Returns when it has ended. In a fiber it suspends, and is cancellable; otherwise it blocks the thread.
  Result<void> wait(Reap reap, Deadline deadline);
  /// The same on the calling thread, whatever runs there.
  Result<void> wait_blocking(Reap reap, Deadline deadline);
  /// To the process or, if it leads one, to its group. ESRCH: it was reaped.
  Result<void> send(int number);
  /// Reaps it; kills what is left of its group first. REQUIRES: it has ended.
  Result<void> reap_with_group();
  /// Whoever has the number must reap it from now on. 0: it was reaped.
  pid_t release() noexcept;

  ChildCore* next_abandoned = nullptr;  ///< guarded by the list's lock

 private:
  Result<bool> look_locked(Reap reap);
  Result<void> send_locked(int number);
  template <class Call>
  auto with_process(Call&& call) const -> decltype(call(0));

  const std::string name_;
  const bool leads_group_;
  const std::chrono::nanoseconds grace_;
  const std::uint32_t forks_ = fork_count;
  pid_t pid_ = 0;
  DescriptorHandle handle_;
  sys::Fd unadopted_;  ///< if there was no memory for a record

  mutable std::mutex mutex_;
  std::optional<ExitStatus> status_;
};

}  // namespace weft::process
