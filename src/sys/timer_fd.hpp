// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/fd.hpp"

#include <weft/result.hpp>

#include <cstdint>

namespace weft::sys {

/// An alarm in the kernel that polls as readable once its time has come, until it is set anew. Any thread.
class TimerFd {
 public:
  static Result<TimerFd> create() noexcept;
  /// One on the boot clock, which goes on while the machine is suspended. It is waited for with wait().
  static Result<TimerFd> create_on_boot_clock() noexcept;

  /// Of no alarm.
  TimerFd() noexcept = default;

  bool valid() const noexcept { return fd_.get() >= 0; }
  int fd() const noexcept { return fd_.get(); }

  /// Rings once, at `time_ns` of its clock or as soon as possible afterwards, instead of when it
  /// was to ring before. REQUIRES: time_ns > 0.
  Result<void> set(std::int64_t time_ns) noexcept;

  /// Blocks the thread until it rings, also if it is set meanwhile. One of the boot clock only.
  void wait() noexcept;

 private:
  explicit TimerFd(Fd fd) noexcept : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace weft::sys
