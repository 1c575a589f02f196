// SPDX-License-Identifier: Apache-2.0
#include <weft/this_fiber.hpp>

#include "execution_context/context.hpp"

namespace weft {

Context& detail::current_spawn_context() noexcept {
  this_fiber_required("spawn()");
  return current_context()->spawn_context();
}

Result<void> sleep_until(Deadline deadline) noexcept {
  Waiter& self = Waiter::current();
  self.begin(WaitWord::Cancellable::kYes, deadline.time_ns());
  if (self.wait() == WaitOutcome::kCancelled) return Errc::cancelled;
  return {};
}

namespace this_fiber {

bool exists() noexcept { return this_fiber_or_null() != nullptr; }
std::uint64_t id() noexcept { return this_fiber_required("this_fiber::id()").id; }
std::string_view name() noexcept { return this_fiber_required("this_fiber::name()").name(); }

std::string_view context_name() noexcept {
  this_fiber_required("this_fiber::context_name()");
  return current_context()->name();
}

bool cancel_requested() noexcept {
  return this_fiber_required("this_fiber::cancel_requested()").word.cancel_requested();
}

}  // namespace this_fiber
}  // namespace weft
