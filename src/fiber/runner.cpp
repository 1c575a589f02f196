// SPDX-License-Identifier: Apache-2.0
#include "fiber/runner.hpp"

#include "base/opaque.hpp"
#include "base/panic.hpp"

namespace weft {
namespace {

thread_local constinit Runner* current_runner = nullptr;

}  // namespace

// Out of line, so that the address of the thread-local is computed anew in each call (a fiber may have
// moved since its last one), also under LTO; the empty asm keeps the compiler from proving the function
// pure and using an earlier result.
WEFT_OPAQUE Runner* this_runner() noexcept {
  asm volatile("" ::: "memory");
  return current_runner;
}

WEFT_OPAQUE void set_this_runner(Runner* runner) noexcept {
  asm volatile("" ::: "memory");
  current_runner = runner;
}

Fiber* this_fiber_or_null() noexcept {
  Runner* const runner = this_runner();
  return runner == nullptr ? nullptr : runner->current;
}

Fiber& this_fiber_required(const char* call) noexcept {
  Fiber* const fiber = this_fiber_or_null();
  if (fiber == nullptr) [[unlikely]] {
    write_to_stderr({"weft: ", call, " suspends, and only a fiber can\n"});
    WEFT_PANIC("a suspending call outside of every fiber");
  }
  return *fiber;
}

}  // namespace weft
