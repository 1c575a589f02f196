// SPDX-License-Identifier: Apache-2.0
#pragma once

// One operation on a descriptor, the same over every event loop: try, and wait only when the descriptor said
// "not now" (L2). docs/design/event-loop.md, "an operation".

#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/descriptor/descriptor_backend.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/operation/wait.hpp"
#include "fiber/budget.hpp"
#include "fiber/outcome_error.hpp"
#include "fiber/runner.hpp"
#include "sys/errors.hpp"

#include <weft/deadline.hpp>
#include <weft/result.hpp>

namespace weft {

/// Whether fibers of `runner` can use the descriptor: those of a simulated world see what is in it, all
/// others the kernel's files.
inline bool same_world(const Runner& runner, const Descriptor& descriptor) noexcept {
  if (runner.network == nullptr && descriptor.kind != DescriptorKind::kSimulated) [[likely]]
    return true;
  return descriptor.kind == DescriptorKind::kSimulated && descriptor.backend->network() == runner.network;
}

/// `attempt()` is made until it gives something else than EAGAIN; in between the fiber waits for `direction`.
/// `succeeded(seen, result)` is told what the readiness was before the attempt that had success, and passes
/// the turn; before_wait() is called when the fiber is about to wait. REQUIRES: the caller is a user of the
/// descriptor.
template <class Attempt, class Succeeded, class BeforeWait>
[[gnu::always_inline]] inline auto operate(Descriptor& descriptor, Direction direction, Deadline deadline,
                                           Attempt&& attempt, Succeeded&& succeeded, BeforeWait&& before_wait)
    -> decltype(attempt()) {
  Runner* runner = this_runner();
  if (!same_world(*runner, descriptor)) [[unlikely]]
    return Errc::unsupported;
  if (const WaitOutcome due = end_due(*runner, deadline); due != WaitOutcome::kReady) [[unlikely]]
    return result_of_outcome(due).error();
  for (;;) {
    const Readiness::Snapshot seen = descriptor.readiness.load();
    if (seen.ready(direction)) {
      auto result = attempt();
      if (result) [[likely]] {
        succeeded(seen, *result);
        spend_budget(*runner);
        return result;
      }
      if (!sys::would_block(result.error())) [[unlikely]] {
        pass_turn(descriptor, direction);  // what we were woken for may be another's (L4)
        return result;
      }
      if (!descriptor.readiness.clear(seen, direction)) continue;  // a newer edge: try again (L3)
    }
    before_wait();
    if (const Result<void> waited = wait(descriptor, direction, deadline); !waited) [[unlikely]]
      return waited.error();
    runner = this_runner();  // the fiber may have come to another thread
  }
}

/// Takes nothing away that another waiter could want: whoever else waits may try too (L4).
template <class Attempt>
[[gnu::always_inline]] inline auto operate(Descriptor& descriptor, Direction direction, Deadline deadline,
                                           Attempt&& attempt) -> decltype(attempt()) {
  return operate(
      descriptor, direction, deadline, attempt,
      [&](Readiness::Snapshot, const auto&) { pass_turn(descriptor, direction); }, [] {});
}

}  // namespace weft
