// SPDX-License-Identifier: Apache-2.0
#include "fiber/budget.hpp"

#include "fiber/fiber.hpp"

namespace weft {

namespace {

// As a wait would, each time: a fiber that goes on although it was cancelled lets others run.
WaitOutcome fail_after_yield(Runner& runner, WaitOutcome ended) noexcept {
  runner.let_others_run();
  this_runner()->budget = 1;  // the next operation comes here again, unless there was a switch
  return ended;
}

}  // namespace

[[gnu::cold]] WaitOutcome look_at_end_of_budget(Runner& runner, Deadline deadline) noexcept {
  const WaitOutcome ended = runner.current->cancellation();
  if (ended != WaitOutcome::kReady) return fail_after_yield(runner, ended);
  if (!runner.budget_is_over() || !deadline.passed()) return WaitOutcome::kReady;
  runner.let_others_run();  // as a wait would: who asks again and again lets others run
  return WaitOutcome::kTimedOut;
}

WaitOutcome yield_at_end_of_budget(Runner& runner, Deadline deadline) noexcept {
  runner.budget = 1;  // the next operation comes here again, unless there was a switch
  if (runner.current == nullptr) return WaitOutcome::kReady;  // a scheduler's own stack: nobody to yield
  const WaitOutcome ended = runner.current->cancellation();
  if (ended != WaitOutcome::kReady) return fail_after_yield(runner, ended);
  return runner.budget_spent() && deadline.passed() ? WaitOutcome::kTimedOut : WaitOutcome::kReady;
}

}  // namespace weft
