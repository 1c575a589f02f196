// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who waits (a fiber or a plain thread), and the lists that waiters stand in.
//
// Lifetime (P1): a WaitNode lives in the waiter's frame. It is linked, unlinked and read only under the
// lock of its list; before its frame dies the waiter takes it off under that lock. So whoever finds a node
// in a list, with the lock held, may touch the waiter. Whoever then wins the wait owns the wake-up: the
// waiter stays suspended, hence alive, until wake() is called.

#include "base/intrusive_list.hpp"
#include "base/timer.hpp"
#include "fiber/wait_word.hpp"

#include <limits>

namespace weft {

/// Something that can wait: a fiber or a plain thread.
class Waiter : public Timer {
 public:
  enum class Kind : std::uint8_t { kFiber, kThread };

  explicit Waiter(Kind kind) noexcept : kind_(kind) {}

  WaitWord word;

  /// The deadline of the current wait, `Deadline::never()` if it has none. Stored by the waiter before
  /// word.begin(); read by the timer queue's holder, which checks the epoch afterwards.
  Atomic<std::int64_t> deadline_ns{kNoDeadline};
  /// When the timer will look at this waiter, kNoDeadline if it is not armed. Written under the lock of
  /// the loop's timers; read by the waiter without it (docs/design/wait.md, "the lazy timer").
  Atomic<std::int64_t> armed_at_ns{kNoDeadline};

  /// The timer was armed once: it must be disarmed, under the lock, before the waiter dies. Waiter only.
  bool uses_timer = false;

  static constexpr std::int64_t kNoDeadline = std::numeric_limits<std::int64_t>::max();

  /// Starts a wait that ends at `deadline_ns` at the latest (kNoDeadline: never). Waiter only.
  WaitTicket begin(WaitWord::Cancellable cancellable, std::int64_t until_ns = kNoDeadline) noexcept {
    deadline_ns.store(until_ns, relaxed);  // published by the read-modify-write of word.begin()
    return word.begin(cancellable);
  }

  /// Makes the waiter run again: enqueues the fiber in its context, or unparks the thread.
  /// REQUIRES: the caller won the waiter's wait. Suspends: no.
  void wake() noexcept;

  /// Suspends until the wait that was begun has been won by somebody, its deadline included: arms the
  /// timer (Runner::arm) unless one that is armed already fires early enough. Waiter only.
  WaitOutcome wait() noexcept;

  Kind kind() const noexcept { return kind_; }

  /// The waiter that is calling: the current fiber, or this plain thread.
  static Waiter& current() noexcept;

 private:
  const Kind kind_;
};

/// The place of one waiter in one list.
struct WaitNode : ListNode<> {
  Waiter* waiter = nullptr;
  WaitTicket ticket;
};

using WaitList = IntrusiveList<WaitNode>;

}  // namespace weft
