// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/event_loop.hpp"
#include "fiber/runner.hpp"

namespace weft::net {

/// The event loop that the calling fiber waits in. BUG on a plain thread: `call` is named.
inline EventLoop& current_loop(const char* call) noexcept {
  Runner* const runner = this_runner();
  if (runner == nullptr || runner->current == nullptr) [[unlikely]]
    this_fiber_required(call);
  return *runner->event_loop;  // NOLINT(clang-analyzer-core.NullDereference): does not return without one
}

}  // namespace weft::net
