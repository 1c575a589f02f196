// SPDX-License-Identifier: Apache-2.0
// A count-down is one compare-and-swap, but for the last one: it takes the queue bit first, reaches zero,
// wins the waiters, and lets the bit go, which is its last touch. Whoever finds zero waits for the bit: then
// it may destroy the object (docs/design/sync.md, "zero, and the end of the object").
#include <weft/detail/countdown.hpp>

#include "base/panic.hpp"
#include "fiber/outcome_error.hpp"
#include "sync/wait_queue.hpp"

namespace weft::detail {
namespace {

/// Of a negative number, the least one too.
std::uint64_t magnitude(std::int64_t negative) noexcept { return -static_cast<std::uint64_t>(negative); }

[[maybe_unused]] const bool countdown_described =
    set_wait_describer(WaitKind::kCountdown, [](const void* object, WaitDescription& description) noexcept {
      description.add("the zero of wait group or latch ");
      description.add_address(object);
    });

}  // namespace

struct Countdown::Protocol {
  [[noreturn, gnu::cold]] static void refuse_step(const Countdown& countdown, std::int64_t before,
                                                  std::int64_t delta) noexcept {
    if (countdown.queue_.destroyed()) refuse_destroyed();
    WEFT_ASSERT(delta < 0, "the counter of a wait group went above its greatest number", WEFT_VALUE(before),
                WEFT_VALUE(delta));
    WEFT_PANIC("the counter of a wait group or latch went below zero", WEFT_VALUE(before),
               WEFT_VALUE(magnitude(delta)));
  }

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
    std::int64_t after = 0;
    do {
      if (__builtin_add_overflow(before, delta, &after) || after < 0) [[unlikely]]
        refuse_step(countdown, before, delta);
      if (after == 0 && delta != 0) return false;
      awaited_at_zero = before == 0 && countdown.queue_.awaited();
      // Release: what was done before; acquire: the last one has seen all that the others did.
    } while (!countdown.count_.compare_exchange_weak(before, after, weft::acq_rel, weft::acquire));
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

void Countdown::report_negative(const char* what_is_wrong, std::int64_t count,
                                SourceLocation called_at) noexcept {
  panic(called_at.file, called_at.line, what_is_wrong, {WEFT_VALUE(magnitude(count))});
}

void Countdown::add(std::int64_t delta) noexcept {
  while (!Protocol::step(*this, delta)) {
    WaitChain chain = queue_.lock();
    const bool waking = queue_.waking();  // those of an earlier round
    if (waking || !Protocol::step_to_zero(*this, delta)) {
      queue_.unlock(chain);
      if (waking) queue_.wait_until_woken();
      continue;
    }
    return queue_.unlock_and_wake_all(chain);
  }
}

void Countdown::wait_uncancellable() noexcept {
  Protocol::wait(*this, WaitWord::Cancellable::kNo, Deadline::never());
}

Result<void> Countdown::wait_until(Deadline deadline) noexcept {
  return result_of_outcome(Protocol::wait(*this, WaitWord::Cancellable::kYes, deadline));
}

}  // namespace weft::detail
