// SPDX-License-Identifier: Apache-2.0
#include "fiber/unguarded.hpp"

#include "base/panic.hpp"
#include "fiber/describe.hpp"
#include "fiber/fiber.hpp"
#include "sys/mapping.hpp"

namespace weft {

void check_for_overflow(Fiber& fiber) noexcept {
  StackSlot& slot = fiber.slot();
  const Result<bool> touched = sys::any_resident(slot.slab->guard(slot), StackSlab::guard_size());
  if (!touched || !*touched) [[likely]]
    return;
  const FiberDescription description(fiber);
  write_to_stderr({"weft: stack overflow in fiber ", description.view(),
                   ", found when it had ended, as its stack has no guard\n"
                   "weft: pass a larger .stack_size when spawning it, or keep large objects on the heap\n"});
  WEFT_PANIC("a stack without a guard has overflowed: what other fibers had below it may be damaged");
}

}  // namespace weft
