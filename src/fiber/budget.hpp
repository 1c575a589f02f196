// SPDX-License-Identifier: Apache-2.0
#pragma once

// The operation budget (L12): a fiber whose operations never have to wait lets others run now and then, and
// notices then that it was cancelled. The budget is the runner's; each switch sets it anew. A scheduler hands
// it out in parts, and looks between two of them whether the fiber has had the thread for long enough.
//
// Operations of fibers only, those of event loops, look first whether an end is due, and pay afterwards:
// end_due(), spend_budget(). What plain threads call too pays before: spend_budget_before().

#include "base/portion.hpp"
#include "fiber/fiber.hpp"
#include "fiber/runner.hpp"
#include "fiber/wait_word.hpp"

#include <weft/deadline.hpp>

namespace weft {

/// A fiber whose operations never have to wait must notice a cancel request, or the deadline of its scope,
/// too: when its budget is at the end. Then every operation fails until the fiber waits or yields.
inline bool cancel_is_due(Runner& runner) noexcept {
  return runner.budget == 1 && runner.current->cancellation() != WaitOutcome::kReady;
}

/// See end_due().
[[nodiscard]] WaitOutcome look_at_end_of_budget(Runner& runner, Deadline deadline) noexcept;

/// What an operation that has `deadline` must end with before it begins: kReady but at the end of the budget,
/// where a cancel request is seen, and a deadline that has passed, although there may be no need to wait. A
/// loop with one deadline that always finds something ends thereby: after at most a budget. Suspends: may, if
/// it is not kReady.
[[nodiscard]] inline WaitOutcome end_due(Runner& runner, Deadline deadline) noexcept {
  return runner.budget == 1 ? look_at_end_of_budget(runner, deadline) : WaitOutcome::kReady;
}

/// After an operation. Suspends: may.
inline void spend_budget(Runner& runner) noexcept {
  if (--runner.budget == 0) [[unlikely]]
    runner.budget_spent();
}
inline void spend_budget() noexcept { spend_budget(*this_runner()); }

/// Pays for one operation of `runner`, this_runner(), perhaps null. False: that was the last one.
inline bool pay_from_budget(Runner* runner) noexcept { return runner == nullptr || --runner->budget != 0; }

/// The end of the budget, see below. kTimedOut: the operation's own deadline has passed.
[[nodiscard]] WaitOutcome yield_at_end_of_budget(Runner& runner, Deadline deadline = {}) noexcept;

/// Before an operation; `runner` is this_runner(), perhaps null. Another outcome than kReady: the operation
/// must fail with it, as the fiber was cancelled or its scope has ended; so does every one until the fiber
/// waits or yields. Suspends: may; afterwards `runner` may be another thread's.
[[nodiscard]] inline WaitOutcome spend_budget_before(Runner* runner) noexcept {
  if (pay_from_budget(runner)) [[likely]]
    return WaitOutcome::kReady;
  return yield_at_end_of_budget(*runner);
}

/// Between two portions (base/portion.hpp) of work that may be long: other fibers of the
/// thread get their turn. On a plain thread, or a scheduler's own stack, nothing: nobody else is kept.
/// REQUIRES: the caller holds no lock. Suspends: may; afterwards this_runner() may be another one.
inline void rest_between_portions() noexcept {
  Runner* const runner = this_runner();
  if (runner != nullptr && runner->current != nullptr) runner->let_others_run();
}

}  // namespace weft
