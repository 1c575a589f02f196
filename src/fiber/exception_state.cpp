// SPDX-License-Identifier: Apache-2.0
#include "fiber/exception_state.hpp"

#include "base/opaque.hpp"

#include <cxxabi.h>

namespace weft {

// Not inlined, and opaque: the library declares the function as returning a constant.
WEFT_OPAQUE ExceptionState* thread_exception_state() noexcept {
  void* globals = abi::__cxa_get_globals();
  asm volatile("" : "+r"(globals)::"memory");
  return static_cast<ExceptionState*>(globals);
}

}  // namespace weft
