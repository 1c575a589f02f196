// SPDX-License-Identifier: Apache-2.0
#include "event_loop/event_loop.hpp"

#include "fiber/runner.hpp"

namespace weft {

void attach(Runner& runner, EventLoop& loop) noexcept {
  runner.event_loop = &loop;
  runner.network = loop.network();
}

}  // namespace weft
