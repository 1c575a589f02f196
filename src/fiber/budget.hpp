// SPDX-License-Identifier: Apache-2.0
#pragma once

// L12 for operations that plain threads may call too: a fiber whose operations never have to wait lets others
// run now and then, and notices then that it was cancelled. The budget is the runner's; each switch sets it
// anew. (Those of event loops are of fibers only, and spend it afterwards: event_loop/operation.hpp.)

#include "fiber/runner.hpp"
#include "fiber/wait_word.hpp"

namespace weft {

/// The end of the budget, see below.
[[nodiscard]] WaitOutcome yield_at_end_of_budget(Runner& runner) noexcept;

/// Before an operation; `runner` is this_runner(), perhaps null. Another outcome than kReady: the operation
/// must fail with it, as the fiber was cancelled or its scope has ended; so does every one until the fiber
/// waits or yields. Suspends: may; afterwards `runner` may be another thread's.
[[nodiscard]] inline WaitOutcome spend_budget_before(Runner* runner) noexcept {
  if (runner == nullptr || --runner->budget != 0) [[likely]]
    return WaitOutcome::kReady;
  return yield_at_end_of_budget(*runner);
}

}  // namespace weft
