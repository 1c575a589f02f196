// SPDX-License-Identifier: Apache-2.0
#include <weft/this_fiber.hpp>

#include "execution_context/context.hpp"
#include "fiber/budget.hpp"
#include "fiber/cancel_node.hpp"
#include "fiber/outcome_error.hpp"
#include "sys/mapping.hpp"

namespace weft {

Context& detail::current_spawn_context() noexcept {
  this_fiber_required("spawn()");
  return current_context()->spawn_context();
}

Result<void> checkpoint() noexcept { return result_of_outcome(spend_budget_before(this_runner())); }

SleepResult sleep_until(Deadline deadline) noexcept {
  Waiter& self = Waiter::current();
  CancelNode* const scope = self.scope.load(relaxed);
  if (scope != nullptr && scope->ended() != WaitOutcome::kReady) [[unlikely]] {
    scope->note_stopped(scope->ended());
    return result_of_outcome(scope->ended());
  }
  self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), {WaitKind::kSleep, nullptr});
  const WaitOutcome outcome = self.wait();
  if (outcome == WaitOutcome::kCancelled) return Errc::cancelled;
  if (scope == nullptr) return {};
  // Who sleeps to the end of the scope, or less, has slept, unless the scope was ended earlier.
  if (scope->deadline_ns() < deadline.time_ns()) return Errc::timed_out;
  return scope->ended() == WaitOutcome::kReady || deadline.passed() ? SleepResult() : Errc::timed_out;
}

namespace this_fiber {

bool exists() noexcept { return this_fiber_or_null() != nullptr; }
std::uint64_t id() noexcept { return this_fiber_required("this_fiber::id()").id; }
std::string_view name() noexcept { return this_fiber_required("this_fiber::name()").name(); }

std::string_view context_name() noexcept {
  this_fiber_required("this_fiber::context_name()");
  return current_context()->name();
}

void trim_stack() noexcept {
  Fiber& self = this_fiber_required("this_fiber::trim_stack()");
  // What may fail (the pages are locked) leaves them where they are.
  static_cast<void>(sys::discard_below_this_frame(self.stack_low()));
}

bool cancel_requested() noexcept {
  return this_fiber_required("this_fiber::cancel_requested()").cancellation() != WaitOutcome::kReady;
}

}  // namespace this_fiber
}  // namespace weft
