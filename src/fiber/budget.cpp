// SPDX-License-Identifier: Apache-2.0
#include "fiber/budget.hpp"

#include "fiber/fiber.hpp"

namespace weft {

WaitOutcome yield_at_end_of_budget(Runner& runner) noexcept {
  runner.budget = 1;  // the next operation comes here again, unless there was a switch
  if (runner.current == nullptr) return WaitOutcome::kReady;  // a scheduler's own stack: nobody to yield
  if (const WaitOutcome ended = runner.current->cancellation(); ended != WaitOutcome::kReady) return ended;
  runner.budget_spent();
  return WaitOutcome::kReady;
}

}  // namespace weft
