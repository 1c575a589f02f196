// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/event_loop.hpp"

#include <weft/event_loop_strategy.hpp>

#include <memory>

namespace weft {

/// A loop of the platform's that registers descriptors as `strategy` says; which contexts use it is theirs to
/// arrange. Throws if the kernel gives none.
std::unique_ptr<EventLoop> make_event_loop(const EventLoopStrategy& strategy);

}  // namespace weft
