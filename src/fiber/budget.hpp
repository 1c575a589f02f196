// SPDX-License-Identifier: Apache-2.0
#pragma once

// The operation budget (L12): a fiber whose operations never have to wait lets others run now and then, and
// notices then that it was cancelled. The budget is the runner's; each switch sets it anew. A scheduler hands
// it out in parts, and looks between two of them whether the fiber has had the thread for long enough.
//
// Operations of fibers only, those of event loops, look first whether a cancel is due, and pay afterwards:
// cancel_is_due(), spend_budget(). What plain threads call too pays before: spend_budget_before().

#include "fiber/fiber.hpp"
#include "fiber/runner.hpp"
#include "fiber/wait_word.hpp"

namespace weft {

/// A fiber whose operations never have to wait must notice a cancel request, or the deadline of its scope,
/// too: when its budget is at the end. Then every operation fails until the fiber waits or yields.
inline bool cancel_is_due(Runner& runner) noexcept {
  return runner.budget == 1 && runner.current->cancellation() != WaitOutcome::kReady;
}
inline bool cancel_is_due() noexcept { return cancel_is_due(*this_runner()); }

/// After an operation. Suspends: may.
inline void spend_budget(Runner& runner) noexcept {
  if (--runner.budget == 0) [[unlikely]]
    runner.budget_spent();
}
inline void spend_budget() noexcept { spend_budget(*this_runner()); }

/// Pays for one operation of `runner`, this_runner(), perhaps null. False: that was the last one.
inline bool pay_from_budget(Runner* runner) noexcept { return runner == nullptr || --runner->budget != 0; }

/// The end of the budget, see below.
[[nodiscard]] WaitOutcome yield_at_end_of_budget(Runner& runner) noexcept;

/// Before an operation; `runner` is this_runner(), perhaps null. Another outcome than kReady: the operation
/// must fail with it, as the fiber was cancelled or its scope has ended; so does every one until the fiber
/// waits or yields. Suspends: may; afterwards `runner` may be another thread's.
[[nodiscard]] inline WaitOutcome spend_budget_before(Runner* runner) noexcept {
  if (pay_from_budget(runner)) [[likely]]
    return WaitOutcome::kReady;
  return yield_at_end_of_budget(*runner);
}

}  // namespace weft
