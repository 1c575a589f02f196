// SPDX-License-Identifier: Apache-2.0
#include "fiber/waiter.hpp"

#include "base/opaque.hpp"
#include "fiber/budget.hpp"
#include "fiber/fiber.hpp"
#include "fiber/runner.hpp"
#include "fiber/thread_waiter.hpp"

namespace weft {
namespace {

WEFT_OPAQUE Waiter& thread_waiter() noexcept {
  static thread_local ThreadWaiter waiter;
  Waiter* address = &waiter;
  asm volatile("" : "+r"(address)::"memory");  // see this_runner()
  return *address;
}

// Apart, so that fibers save no registers for it.
[[gnu::noinline]] void park(Waiter& waiter) noexcept { static_cast<ThreadWaiter&>(waiter).park(); }

}  // namespace

// Published by the read-modify-write of word.begin(): a timer, a sweep or the waiter itself that finds the
// new wait finds that it is not theirs to end.
WaitTicket Waiter::take_over(WaitingFor what) noexcept {
  waits_for = what.object;
  deadline_ns.store(kNoDeadline, relaxed);
  ended_by_scope.store(false, relaxed);
  return word.begin(WaitWord::Cancellable::kNo, what.kind);
}

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
    if (word.cancel_requested() && cancel_own_wait()) [[unlikely]]
      return ended_at_once(WaitOutcome::kCancelled);
    Runner* const runner = this_runner();
    const std::int64_t until_ns = deadline_ns.load(relaxed);  // the waiter's own store
    // seq_cst: begin() wrote the word before this load; the timer's holder stores armed_at_ns before it
    // reads the word. One of the two sees the other (docs/design/wait.md, "the lazy timer").
    if (until_ns != kNoDeadline && until_ns < armed_at_ns.load(seq_cst)) runner->arm_timer(*this);
    runner->suspend();
  } else {
    park(*this);
  }
  return word.outcome();
}

// A fiber that waits again and again although it was cancelled lets others run now and then (L12).
WaitOutcome Waiter::ended_at_once(WaitOutcome outcome) noexcept {
  if (kind_ == Kind::kFiber) spend_budget(*this_runner());
  return outcome;
}

bool Waiter::cancel_own_wait() noexcept { return word.request_cancel(); }

Waiter& Waiter::current() noexcept {
  Fiber* const fiber = this_fiber_or_null();
  return fiber != nullptr ? *fiber : thread_waiter();
}

}  // namespace weft
