// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sys/fd.hpp"

#include <weft/result.hpp>

#include <cstdint>

namespace weft::sys {

/// A counter in the kernel that polls as readable while it is not zero. Notify and drain: any thread.
class EventFd {
 public:
  static Result<EventFd> create() noexcept;

  /// Of no counter; `notify` and `drain` are bugs.
  EventFd() noexcept = default;

  int fd() const noexcept { return fd_.get(); }

  /// Makes it readable: one more edge, even if it already was. Cannot fail.
  void notify() const noexcept;
  /// Takes all notifications: how many there were. Cannot fail.
  std::uint64_t drain() const noexcept;

 private:
  explicit EventFd(Fd fd) noexcept : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace weft::sys
