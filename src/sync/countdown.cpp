// SPDX-License-Identifier: Apache-2.0
// A count-down is one compare-and-swap, but for the last one: it takes the queue bit first, reaches zero,
// wins the waiters, and lets the bit go, which is its last touch. Whoever finds zero waits for the bit: then
// it may destroy the object (docs/design/sync.md, "zero, and the end of the object").
#include <weft/detail/countdown.hpp>

#include "base/panic.hpp"
#include "event_loop/operation.hpp"
#include "sync/wait_queue.hpp"

namespace weft::detail {
namespace {

[[maybe_unused]] const bool countdown_described =
    set_wait_describer(WaitKind::kCountdown, [](const void* object, WaitDescription& description) noexcept {
      description.add("the zero of wait group or latch ");
      description.add_address(object);
    });

}  // namespace

struct Countdown::Protocol {
  /// With the queue bit nobody else reaches zero.
  static bool queue(Countdown& countdown, QueueNode& node) noexcept {
    WaitChain chain = countdown.queue_.lock();
    const bool must_wait = countdown.count_.load(weft::acquire) != 0;
    if (must_wait) chain.push_back(node);
    countdown.queue_.unlock(chain);
    return must_wait;
  }

  static void leave(Countdown& countdown, QueueNode& node) noexcept {
    WaitChain chain = countdown.queue_.lock();
    chain.remove_if_linked(node);
    countdown.queue_.unlock(chain);
  }

  static WaitOutcome wait(Countdown& countdown, WaitWord::Cancellable cancellable,
                          Deadline deadline) noexcept {
    if (countdown.settled()) return WaitOutcome::kReady;
    QueueNode own;
    return wait_in_queue(
        own, {WaitKind::kCountdown, &countdown}, cancellable, deadline,
        [&](QueueNode& node) { return queue(countdown, node); },
        [&](QueueNode& node) { leave(countdown, node); });
  }

  /// False if the step would reach zero: that takes the queue bit.
  static bool step(Countdown& countdown, std::int64_t delta) noexcept {
    bool awaited_at_zero = false;
    std::int64_t before = countdown.count_.load(weft::acquire);
    do {
      if (before + delta < 0) [[unlikely]] {
        if (countdown.queue_.destroyed()) refuse_destroyed();
        WEFT_PANIC("the counter of a wait group or latch went below zero", WEFT_VALUE(before),
                   WEFT_VALUE(-delta));
      }
      if (before + delta == 0 && delta != 0) return false;
      awaited_at_zero = before == 0 && countdown.queue_.awaited();
      // Release: what was done before; acquire: the last one has seen all that the others did.
    } while (!countdown.count_.compare_exchange_weak(before, before + delta, weft::acq_rel, weft::acquire));
    // The counter was zero all the while: its last step is still about to wake them.
    WEFT_ASSERT(!awaited_at_zero || delta == 0, "add() to a wait group that others wait for at zero",
                WEFT_VALUE(delta));
    return true;
  }

  /// With the queue bit. False if the counter was raised meanwhile.
  static bool step_to_zero(Countdown& countdown, std::int64_t delta) noexcept {
    std::int64_t before = -delta;
    return countdown.count_.compare_exchange_strong(before, 0, weft::acq_rel, weft::relaxed);
  }
};

void Countdown::add(std::int64_t delta) noexcept {
  while (!Protocol::step(*this, delta)) {
    WaitChain chain = queue_.lock();
    if (!Protocol::step_to_zero(*this, delta)) {
      queue_.unlock(chain);
      continue;
    }
    WaitChain won;
    chain.win_all(won);
    queue_.unlock(chain);
    return won.wake_all();
  }
}

void Countdown::wait() noexcept { Protocol::wait(*this, WaitWord::Cancellable::kNo, Deadline::never()); }

Result<void> Countdown::wait_until(Deadline deadline) noexcept {
  return result_of_outcome(Protocol::wait(*this, WaitWord::Cancellable::kYes, deadline));
}

}  // namespace weft::detail
