// SPDX-License-Identifier: Apache-2.0
#include "fiber/waiter.hpp"

#include "base/opaque.hpp"
#include "fiber/fiber.hpp"
#include "fiber/runner.hpp"
#include "sys/futex.hpp"

namespace weft {
namespace {

/// A plain thread that waits: it sleeps on a futex.
class ThreadWaiter final : public Waiter {
 public:
  ThreadWaiter() noexcept : Waiter(Kind::kThread) {}

  /// Sleeps until unpark(); the deadline is the thread's own business, it has no event loop. Not inlined: a
  /// fiber's wait shall not save the registers that this needs.
  [[gnu::noinline]] void park() noexcept {
    const Deadline deadline = Deadline::at_ns(deadline_ns.load(relaxed));
    // Acquire: pairs with the release in unpark().
    while (token_.exchange(0, acquire) == 0) {
      if (!sys::futex_wait(token_, 0, deadline)) return timed_out();
    }
  }

  /// The waiter may return, and its thread end, between the two lines: futex_wake looks only at the address.
  void unpark() noexcept {
    token_.store(1, release);
    sys::futex_wake(token_, 1);
  }

 private:
  void timed_out() noexcept {
    WaitTicket ticket;
    if (word.current(ticket) && word.try_win(ticket, WaitOutcome::kTimedOut)) return;
    // Somebody else won first and is about to wake this thread: the token is theirs to put.
    while (token_.exchange(0, acquire) == 0) sys::futex_wait(token_, 0);
  }

  Atomic<std::uint32_t> token_{0};
};

WEFT_OPAQUE Waiter& thread_waiter() noexcept {
  static thread_local ThreadWaiter waiter;
  Waiter* address = &waiter;
  asm volatile("" : "+r"(address)::"memory");  // see this_runner()
  return *address;
}

}  // namespace

void Waiter::wake() noexcept {
  if (kind_ == Kind::kFiber) [[likely]] {
    Fiber& fiber = static_cast<Fiber&>(*this);
    fiber.home->enqueue(fiber);
  } else {
    static_cast<ThreadWaiter&>(*this).unpark();
  }
}

WaitOutcome Waiter::wait() noexcept {
  if (scope.load(relaxed) != nullptr) [[unlikely]]
    return wait_in_scope();
  return wait_for_winner();
}

WaitOutcome Waiter::wait_for_winner() noexcept {
  if (kind_ == Kind::kFiber) [[likely]] {
    // A cancel request that came before begin() has nobody who acts on it but the waiter.
    if (word.cancel_requested() && word.request_cancel()) [[unlikely]]
      return WaitOutcome::kCancelled;
    Runner* const runner = this_runner();
    const std::int64_t until_ns = deadline_ns.load(relaxed);  // the waiter's own store
    // seq_cst: begin() wrote the word before this load; the timer's holder stores armed_at_ns before it
    // reads the word. One of the two sees the other (docs/design/wait.md, "the lazy timer").
    if (until_ns != kNoDeadline && until_ns < armed_at_ns.load(seq_cst)) runner->arm_timer(*this);
    runner->suspend();
  } else {
    static_cast<ThreadWaiter&>(*this).park();
  }
  return word.outcome();
}

Waiter& Waiter::current() noexcept {
  Fiber* const fiber = this_fiber_or_null();
  return fiber != nullptr ? *fiber : thread_waiter();
}

}  // namespace weft
