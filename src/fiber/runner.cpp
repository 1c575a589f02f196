// SPDX-License-Identifier: Apache-2.0
#include "fiber/runner.hpp"

#include "base/opaque.hpp"
#include "base/panic.hpp"

#include <cstdio>

// Named by an asm in runner.hpp, which the optimizer does not read: hence used, and the name not C++'s.
extern "C" {
[[gnu::used, gnu::tls_model("initial-exec")]] thread_local constinit weft::Runner* weft_current_runner =
    nullptr;
}

namespace weft {
namespace {

[[noreturn, gnu::cold]] void refuse_outside_of_fibers(const char* call) noexcept {
  char text[128];
  std::snprintf(text, sizeof(text), "%s outside of every fiber: call it inside weft::run()", call);
  WEFT_PANIC(text);
}

}  // namespace

#if !WEFT_RUNNER_BY_ASM
// Out of line, so that the address of the thread-local is computed anew in each call (a fiber may have
// moved since its last one), also under LTO; the empty asm keeps the compiler from proving the function
// pure and using an earlier result.
WEFT_OPAQUE Runner* this_runner() noexcept {
  asm volatile("" ::: "memory");
  return weft_current_runner;
}
#endif

WEFT_OPAQUE void set_this_runner(Runner* runner) noexcept {
  asm volatile("" ::: "memory");
  weft_current_runner = runner;
}

Fiber* this_fiber_or_null() noexcept {
  Runner* const runner = this_runner();
  return runner == nullptr ? nullptr : runner->current;
}

Fiber& this_fiber_required(const char* call) noexcept {
  Fiber* const fiber = this_fiber_or_null();
  if (fiber == nullptr) [[unlikely]]
    refuse_outside_of_fibers(call);
  return *fiber;
}

}  // namespace weft
