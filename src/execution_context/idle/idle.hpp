// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who of a context's schedulers has nothing to do, and who of them waits in the event loop (S2, S5, S11;
// docs/design/idle.md).
//
// A scheduler without work is one of: searching (looks in every queue, for a bounded time), polling (has the
// poll duty and is in the event loop), parked (sleeps on its futex). At most one has the duty; it may keep it
// while it runs a fiber. Thread safety: any thread, but for the methods of one scheduler.
//
// Invariants: ID1 a parked scheduler is in the list, or a token was put in its parker. ID2 whoever takes a
// scheduler off the list unparks it. ID3 a scheduler that ends its search looks at every queue once more
// afterwards (pairs with submitters that saw it searching and woke nobody).

#include "base/atomic.hpp"
#include "base/cache_line.hpp"
#include "base/intrusive_list.hpp"
#include "base/spin_lock.hpp"
#include "execution_context/idle/parker.hpp"
#include "execution_context/idle/poll_duty.hpp"

#include <cstdint>

namespace weft {

/// The part of a scheduler that the idle set knows.
struct IdleThread : ListNode<> {
  Parker parker;
  IdleThread* next_woken = nullptr;  ///< a chain of whoever took it off the list, until unpark()
};

class IdleSet {
 public:
  // -- searching
  void begin_search() noexcept { searching_.fetch_add(1, seq_cst); }
  /// True if the caller was the last one searching.
  bool end_search() noexcept { return searching_.fetch_sub(1, seq_cst) == 1; }
  bool anybody_searches() const noexcept { return searching_.load(seq_cst) != 0; }

  // -- parking
  /// Announces that `thread` is about to park: it then looks once more for work.
  void announce(IdleThread& thread) noexcept;
  /// Takes the announcement back. False: somebody has taken it already, and unparks the thread.
  [[nodiscard]] bool withdraw(IdleThread& thread) noexcept;
  /// Unparks one parked thread, if there is any, as a searching one: it must call end_search().
  bool wake_one() noexcept;
  /// The same for all that are parked now.
  void wake_all() noexcept;
  bool anybody_parked() const noexcept { return parked_.load(seq_cst) != 0; }

  // -- the poll duty
  /// The duty is one for several contexts, that of the loop they share. Before the first thread starts.
  void share(PollDuty& duty) noexcept { duty_ = &duty; }
  bool shared() const noexcept { return duty_ != &own_duty_; }
  /// Whether a thread of this context may be in the event loop: always, if nobody else could be.
  bool may_be_in_loop() const noexcept { return !shared() || in_loop_.load(seq_cst); }
  /// True if `thread` may go into the event loop now: nobody had the duty, or it kept it.
  [[nodiscard]] bool begin_poll(IdleThread& thread) noexcept;
  /// Out of the event loop. With `keep` the duty stays with the thread: it polls again within L12's bound.
  void end_poll(IdleThread& thread, bool keep) noexcept;
  /// Whether begin_poll() would probably succeed.
  bool may_poll(const IdleThread& thread) const noexcept { return duty_->possible(thread); }
  void polled(std::int64_t now_ns) noexcept { duty_->polled(now_ns); }
  std::int64_t last_poll_ns() const noexcept { return duty_->last_poll_ns(); }
  bool poll_duty_free() const noexcept { return duty_->free(); }
  /// Takes the duty from a thread that kept it and does not do it (S8, S11). False if it does, or has none.
  bool revoke_poll_duty(IdleThread& thread) noexcept;

 private:
  alignas(kCacheLine) Atomic<std::uint32_t> searching_{0};
  Atomic<std::uint32_t> parked_{0};  // the size of the list, written under the lock
  PollDuty own_duty_;
  PollDuty* duty_ = &own_duty_;
  // Of a shared duty: a thread of this context has gone into the loop. Written before the loop is announced.
  Atomic<bool> in_loop_{false};
  SpinLock lock_;
  IntrusiveList<IdleThread> list_;  // guarded by lock_; the last parked first: its cache is warm
};

}  // namespace weft
