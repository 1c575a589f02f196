// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who may go into an event loop: one thread at a time (S11, docs/design/idle.md). The word is the address of
// the thread that has the duty, plus kInLoop while it is in the loop. Beside it stands when the loop was
// polled last: both are written by each poll.
//
// Thread safety: any thread, for a thread of its own.

#include "base/atomic.hpp"

#include <cstdint>

namespace weft {

struct IdleThread;

class PollDuty {
 public:
  /// True if `thread` may go into the event loop now: nobody had the duty, or it kept it. A read-modify-write
  /// also for a duty that was kept: the monitor may be revoking it.
  [[nodiscard]] bool begin(const IdleThread& thread) noexcept {
    std::uintptr_t holder = holder_.load(relaxed);
    if (holder != kNobody && holder != kept_by(thread)) return false;
    return holder_.compare_exchange_strong(holder, kept_by(thread) + kInLoop, seq_cst);
  }
  /// Out of the event loop. With `keep` the duty stays with the thread.
  void end(const IdleThread& thread, bool keep) noexcept {
    holder_.store(keep ? kept_by(thread) : kNobody, seq_cst);
  }
  /// Whether begin() would probably succeed.
  bool possible(const IdleThread& thread) const noexcept {
    const std::uintptr_t holder = holder_.load(relaxed);  // stale is fine: asked again soon
    return holder == kNobody || holder == kept_by(thread);
  }

  /// A poll ended at that time. By who has the duty.
  void polled(std::int64_t now_ns) noexcept { last_poll_ns_.store(now_ns, relaxed); }
  /// When the last poll ended. Stale is fine: a poll too many.
  std::int64_t last_poll_ns() const noexcept { return last_poll_ns_.load(relaxed); }

  bool free() const noexcept { return holder_.load(seq_cst) == kNobody; }
  /// Takes the duty from a thread that kept it. False if it is in the loop, or has none.
  bool revoke(const IdleThread& thread) noexcept {
    std::uintptr_t holder = kept_by(thread);
    return holder_.compare_exchange_strong(holder, kNobody, seq_cst);
  }
  /// It is for none of the threads that ask: another polls, always. REQUIRES: nobody has asked yet.
  void withhold() noexcept { holder_.store(kInLoop, relaxed); }

 private:
  static constexpr std::uintptr_t kNobody = 0;
  static constexpr std::uintptr_t kInLoop = 1;

  static std::uintptr_t kept_by(const IdleThread& thread) noexcept {
    return reinterpret_cast<std::uintptr_t>(&thread);
  }

  Atomic<std::uintptr_t> holder_{kNobody};
  Atomic<std::int64_t> last_poll_ns_{0};
};

}  // namespace weft
