// SPDX-License-Identifier: Apache-2.0
// fiber/runner.cpp as the model checker has it: a runner belongs to a thread of the model.
#include "fiber/runner.hpp"

#include "base/panic.hpp"
#include "model/explorer/execution.hpp"

namespace weft {

Runner* this_runner() noexcept {
  if (!model::hooks::active()) return nullptr;
  return static_cast<Runner*>(model::Execution::current().running_thread().user);
}

void set_this_runner(Runner* runner) noexcept {
  if (model::hooks::active()) model::Execution::current().running_thread().user = runner;
}

Fiber* this_fiber_or_null() noexcept {
  Runner* const runner = this_runner();
  return runner == nullptr ? nullptr : runner->current;
}

Fiber& this_fiber_required(const char*) noexcept {
  Fiber* const fiber = this_fiber_or_null();
  WEFT_ASSERT(fiber != nullptr, "a suspending call outside of every fiber");
  return *fiber;
}

}  // namespace weft
