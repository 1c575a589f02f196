// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the handler of a signal leaves what has come (docs/design/signals.md).
//
// Thread safety: put() is called by handlers on any thread, several at a time, and is async-signal-safe: no
// locks, no allocation. take() by one thread at a time. Guarantees: SG1 each handler that has returned counts
// once; what is lost when many come at once is only who sent them.

#include "base/atomic.hpp"

#include <weft/signal.hpp>

#include <cstddef>
#include <cstdint>

namespace weft {

/// Of one kind of signal.
class SignalInbox {
 public:
  void put(pid_t sender) noexcept {
    const std::uint32_t index = reserved_.fetch_add(1, relaxed);
    senders_[index % kSendersMax].store(entry(index, sender), relaxed);
    published_.fetch_add(1, release);  // pairs with the acquire in take()
  }

  /// The next one; false if there is none. Of handlers that run at the same time on two threads the second
  /// may be through before the first: then the sender is not known.
  bool take(pid_t& sender) noexcept {
    if (taken_ == published_.load(acquire)) return false;
    const std::uint32_t index = taken_++;
    const std::uint64_t found = senders_[index % kSendersMax].load(relaxed);
    sender = found >> 32 == index + std::uint64_t{1} ? static_cast<pid_t>(found & 0xffffffff) : 0;
    return true;
  }

  /// Forgets what is there, in a process that has one thread and no handler of it.
  void clear() noexcept { taken_ = published_.load(relaxed); }

 private:
  static constexpr std::size_t kSendersMax = 16;

  /// The number of the signal, from 1 on, beside the sender: what was overwritten, or not written yet, is
  /// found.
  static std::uint64_t entry(std::uint32_t index, pid_t sender) noexcept {
    return (index + std::uint64_t{1}) << 32 | static_cast<std::uint32_t>(sender);
  }

  Atomic<std::uint32_t> reserved_{0};
  Atomic<std::uint32_t> published_{0};
  Atomic<std::uint64_t> senders_[kSendersMax] = {};
  std::uint32_t taken_ = 0;
};

}  // namespace weft
