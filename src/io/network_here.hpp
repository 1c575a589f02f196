// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fiber/runner.hpp"
#include "io/kernel_network.hpp"

namespace weft {

/// BUG on a plain thread: `call` is named.
inline void require_fiber(const char* call) noexcept {
  Runner* const runner = this_runner();
  if (runner == nullptr || runner->current == nullptr) [[unlikely]]
    this_fiber_required(call);
}

/// The network that the calling fiber lives in. BUG on a plain thread: `call` is named.
inline Network& network_here(const char* call) noexcept {
  require_fiber(call);
  Runner* const runner = this_runner();
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): require_fiber() does not return without one
  return runner->network != nullptr ? *runner->network : kernel_network();
}

}  // namespace weft
