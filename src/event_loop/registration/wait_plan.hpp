// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "event_loop/descriptor/descriptor.hpp"

#include <cstdint>

namespace weft {

/// A registration that is left: where the mover found the descriptor.
struct Registered {
  Ownership state = Ownership::kUnowned;
  LoopId owner;
};

/// What a wait has to do beside waiting (docs/design/strategies.md).
struct WaitPlan {
  enum class Step : std::uint8_t {
    kNothing,   ///< it is registered, for as long as this wait lasts at least
    kSettle,    ///< settle the edges afterwards
    kAdjust,    ///< settle the edges before, and afterwards
    kTransfer,  ///< transfer the descriptor from `from`, and settle afterwards
  };
  Step step = Step::kNothing;
  Registered from = {};
};

}  // namespace weft
