// SPDX-License-Identifier: Apache-2.0
#include "fiber/flow.hpp"

#include "base/opaque.hpp"
#include "base/sanitizers.hpp"
#include "fiber/context/switch.hpp"
#include "fiber/valgrind.hpp"

#if WEFT_ASAN
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if WEFT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace weft {
namespace {

// What the sanitizers are told, each function empty without them. Inlined into switch_flow, which is not
// instrumented: TSan keeps a shadow call stack for each fiber, and a function that entered on one and
// returned on the other would tear both.

[[gnu::always_inline]] inline void sanitizer_leaves([[maybe_unused]] Flow& from, [[maybe_unused]] Flow& to,
                                                    [[maybe_unused]] bool from_ends) noexcept {
#if WEFT_ASAN
  // A null fake stack says that the flow ends: its fake frames are freed.
  __sanitizer_start_switch_fiber(from_ends ? nullptr : &from.asan_fake_stack, to.asan_stack_bottom,
                                 to.asan_stack_size);
#endif
#if WEFT_TSAN
  __tsan_switch_to_fiber(to.tsan_fiber, 0);
#endif
}

[[gnu::always_inline]] inline void sanitizer_arrived([[maybe_unused]] Flow& flow) noexcept {
#if WEFT_ASAN
  __sanitizer_finish_switch_fiber(flow.asan_fake_stack, nullptr, nullptr);
#endif
}

[[gnu::always_inline]] inline void exchange_exception_state(Flow& from, Flow& to) noexcept {
  ExceptionState* const thread = from.thread_exceptions;
  from.exceptions = *thread;
  *thread = to.exceptions;
  to.thread_exceptions = thread;
}

}  // namespace

// Not inlined, also under LTO, and opaque to gcc's interprocedural register allocation: its callers must
// assume that it destroys whatever a call may destroy, and know nothing of thread-locals afterwards.
// Everything that concerns the thread is done before the switch: afterwards it may be another one.
WEFT_OPAQUE WEFT_NO_SANITIZE void switch_flow(Flow& from, Flow& to, bool from_ends) noexcept {
  exchange_exception_state(from, to);
  sanitizer_leaves(from, to, from_ends);
  switch_context(from.machine, to.machine);
  sanitizer_arrived(from);
}

#if WEFT_ASAN
static void describe_thread_stack(Flow& flow) noexcept {
  pthread_attr_t attributes;
  void* bottom = nullptr;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &bottom, &flow.asan_stack_size);
  pthread_attr_destroy(&attributes);
  flow.asan_stack_bottom = bottom;
}
#endif

void adopt_root_flow(Flow& flow) noexcept {
  flow.thread_exceptions = thread_exception_state();
#if WEFT_ASAN
  describe_thread_stack(flow);
#endif
#if WEFT_TSAN
  flow.tsan_fiber = __tsan_get_current_fiber();
#endif
}

void prepare_flow(Flow& flow, [[maybe_unused]] std::byte* stack_low, std::byte* stack_top, ContextEntry entry,
                  void* argument) noexcept {
  flow.exceptions = {};
#if WEFT_ASAN
  flow.asan_fake_stack = nullptr;
  flow.asan_stack_bottom = stack_low;
  flow.asan_stack_size = static_cast<std::size_t>(stack_top - stack_low);
#endif
#if WEFT_TSAN
  flow.tsan_fiber = __tsan_create_fiber(0);
#endif
  weft_prepare_context(&flow.machine, stack_top, entry, argument);
}

void flow_started(Flow& flow) noexcept { sanitizer_arrived(flow); }

void forget_flow([[maybe_unused]] Flow& flow) noexcept {
#if WEFT_TSAN
  __tsan_destroy_fiber(flow.tsan_fiber);
  flow.tsan_fiber = nullptr;
#endif
}

#if WEFT_VALGRIND
static const bool in_valgrind = [] { return RUNNING_ON_VALGRIND != 0; }();
#endif

void open_stack_memory([[maybe_unused]] std::byte* low, [[maybe_unused]] std::byte* high) noexcept {
#if WEFT_VALGRIND
  if (in_valgrind) [[unlikely]]
    open_stack_in_valgrind(low, high);
#endif
#if WEFT_ASAN
  __asan_unpoison_memory_region(low, static_cast<std::size_t>(high - low));
#endif
}

void close_stack_memory([[maybe_unused]] std::byte* low, [[maybe_unused]] std::byte* high) noexcept {
#if WEFT_ASAN
  __asan_poison_memory_region(low, static_cast<std::size_t>(high - low));
#endif
}

}  // namespace weft
