// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who waits (a fiber or a plain thread), and the lists that waiters stand in.
//
// Lifetime (P1): a WaitNode lives in the waiter's frame. It is linked, unlinked and read only under the
// lock of its list; before its frame dies the waiter takes it off under that lock. So whoever finds a node
// in a list, with the lock held, may touch the waiter. Whoever then wins the wait owns the wake-up: the
// waiter stays suspended, hence alive, until wake() is called.

#include "base/hot.hpp"
#include "base/intrusive_list.hpp"
#include "base/timer.hpp"
#include "fiber/runner.hpp"
#include "fiber/wait_word.hpp"

#include <limits>

namespace weft {

class CancelNode;
namespace detail {
class ScopedBindingNode;
}

namespace detail {

/// Something that can wait: a fiber or a plain thread.
class Waiter : public Timer {
 public:
  enum class Kind : std::uint8_t { kFiber, kThread };

  explicit Waiter(Kind kind) noexcept : kind_(kind) {}

  WaitWord word;

  /// The deadline of the current wait, `Deadline::never()` if it has none. Stored by the waiter, or whoever
  /// takes its wait over, before word.begin(); read by the timer queue's holder, which checks the epoch
  /// afterwards.
  Atomic<std::int64_t> deadline_ns{kNoDeadline};
  /// When the timer will look at this waiter, kNoDeadline if it is not armed. Written under the lock of
  /// the loop's timers; read by the waiter without it (docs/design/wait.md, "the lazy timer").
  Atomic<std::int64_t> armed_at_ns{kNoDeadline};

  /// The innermost cancel scope, null without one. Written by the waiter while it does not wait; read by who
  /// ends a scope, which checks the epoch as above (docs/design/cancel.md).
  Atomic<CancelNode*> scope{nullptr};
  /// The current wait is cancellable, so `scope` may end it. Only of meaning in a scope; as `scope`.
  Atomic<bool> ended_by_scope{false};
  /// Its deadline comes before the wait's own. Of meaning as above. Waiter only.
  bool scope_ends_first = false;

  /// The innermost value bound for the waiter (src/sync/scoped_value.cpp). Waiter only.
  const detail::ScopedBindingNode* bindings = nullptr;

  /// The timer was armed once: it must be disarmed, under the lock, before the waiter dies. Waiter only.
  bool uses_timer = false;

  /// What the current wait is for; of what type, the wait's kind says. Stored by the waiter before
  /// word.begin(); read by who holds the wait (WaitWord::hold).
  const void* waits_for = nullptr;

  static constexpr std::int64_t kNoDeadline = std::numeric_limits<std::int64_t>::max();

  /// Starts a wait that ends at `until_ns` at the latest (kNoDeadline: never); a cancellable one also at the
  /// deadline of the cancel scope around it. Waiter only.
  WaitTicket begin(WaitWord::Cancellable cancellable, std::int64_t until_ns = kNoDeadline,
                   WaitingFor what = {}) noexcept {
    if (scope.load(relaxed) == nullptr) [[likely]]
      return begin_without_scope(cancellable, until_ns, what);
    waits_for = what.object;
    return begin_in_scope(cancellable, until_ns, what.kind);
  }
  /// The same. REQUIRES: there is no scope.
  WEFT_HOT WaitTicket begin_without_scope(WaitWord::Cancellable cancellable, std::int64_t until_ns,
                                          WaitingFor what) noexcept {
    waits_for = what.object;
    deadline_ns.store(until_ns, relaxed);  // published by the read-modify-write of word.begin()
    return word.begin(cancellable, what.kind);
  }

  /// By whoever has won the waiter's wait, instead of wake(): the waiter goes on waiting, for `what`, until
  /// somebody wins the returned ticket. Neither a deadline nor a cancel ends that (docs/design/wait.md, "a
  /// wait that is taken over"). Suspends: no.
  WaitTicket take_over(WaitingFor what) noexcept;

  /// Makes the waiter run again: enqueues the fiber in its context, or unparks the thread.
  /// REQUIRES: the caller won the waiter's wait. Suspends: no.
  void wake() noexcept;

  /// Suspends until the wait that was begun has been won by somebody, its deadline included: arms the
  /// timer (Runner::arm_timer) unless one that is armed already fires early enough. Waiter only.
  WaitOutcome wait() noexcept;
  /// The same. REQUIRES: the waiter is a fiber, its wait has no deadline and was begun without a scope.
  WEFT_HOT WaitOutcome wait_simply() noexcept {
    if (word.cancel_requested()) [[unlikely]]
      return wait();
    this_runner()->suspend();
    return word.outcome();
  }

  /// What a cancellable wait would end with here and now, whatever it waits for: kCancelled, or kTimedOut in
  /// a scope whose deadline has passed; kReady if nobody wants it to end. Reads the clock only in a scope
  /// with a deadline. Waiter only.
  WaitOutcome cancellation() noexcept {
    if (scope.load(relaxed) != nullptr) [[unlikely]]
      return cancellation_in_scope();
    return word.cancel_requested() ? WaitOutcome::kCancelled : WaitOutcome::kReady;
  }

  Kind kind() const noexcept { return kind_; }

  /// The waiter that is calling: the current fiber, or this plain thread.
  static Waiter& current() noexcept;

 private:
  WaitTicket begin_in_scope(WaitWord::Cancellable cancellable, std::int64_t until_ns, WaitKind kind) noexcept;
  // Inlined by the linker it costs a wait without a scope thirteen instructions.
  [[gnu::noinline]] WaitOutcome wait_in_scope() noexcept;
  WaitOutcome wait_for_winner() noexcept;
  bool scope_timed_out(const CancelNode& node) const noexcept;
  WaitOutcome cancellation_in_scope() noexcept;
  // Kept out of wait_for_winner(), whose frame is small without it.
  [[gnu::cold, gnu::noinline]] bool cancel_own_wait() noexcept;
  /// `outcome`, of a wait that was over before it began. Suspends: may.
  [[gnu::cold, gnu::noinline]] WaitOutcome ended_at_once(WaitOutcome outcome) noexcept;

  const Kind kind_;
};

}  // namespace detail

using detail::Waiter;

/// The place of one waiter in one list.
struct WaitNode : ListNode<> {
  Waiter* waiter = nullptr;
  WaitTicket ticket;
};

using WaitList = IntrusiveList<WaitNode>;

}  // namespace weft
