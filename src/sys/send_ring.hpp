// SPDX-License-Identifier: Apache-2.0
#pragma once

// Many messages, one system call: io_uring, used for nothing else.

#include "sys/fd.hpp"

#include <weft/result.hpp>

#include <cstddef>
#include <memory>
#include <span>

struct io_uring;

namespace weft::sys {

/// One message for SendRing::send().
struct RingSend {
  /// The answer of one that never reached the kernel.
  static constexpr long kNotSent = -1'000'000;

  int fd;
  std::span<const std::byte> data;
  long raw;  ///< the kernel's answer: bytes taken, or a negated errno
};

/// Sends several messages with one system call. Of one thread: the one that created it.
class SendRing {
 public:
  /// At most so many messages for each call.
  static constexpr unsigned kSendsMax = 16;

  /// Fails where there is no io_uring: a kernel before 6.0, a sandbox, a build without liburing (ENOSYS).
  static Result<SendRing> create() noexcept;

  /// Of no ring.
  SendRing() noexcept;
  SendRing(SendRing&&) noexcept;
  SendRing& operator=(SendRing&&) noexcept;
  ~SendRing();

  bool valid() const noexcept { return ring_ != nullptr; }

  /// Each as send(2) with MSG_DONTWAIT and MSG_NOSIGNAL; the answers stand in `raw`. Messages that the ring
  /// could not take have kNotSent, and can be sent otherwise. REQUIRES: sends.size() <= kSendsMax.
  void send(std::span<RingSend> sends) noexcept;

 private:
  struct Close {
    void operator()(io_uring* ring) const noexcept;
  };

  explicit SendRing(std::unique_ptr<io_uring, Close> ring) noexcept;

  std::unique_ptr<io_uring, Close> ring_;
};

}  // namespace weft::sys
