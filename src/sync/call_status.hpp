// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the calls of broadcast and watch channels end without their source.

#include "fiber/budget.hpp"

#include <weft/deadline.hpp>
#include <weft/detail/channel_core.hpp>

namespace weft {

/// REQUIRES: the wait was not won by its source.
inline detail::ChannelStatus status_of_end(WaitOutcome outcome) noexcept {
  return outcome == WaitOutcome::kTimedOut ? detail::ChannelStatus::kTimedOut
                                           : detail::ChannelStatus::kCancelled;
}

/// Before a call: kDone, or what it must fail with at the end of the budget. Suspends: may.
inline detail::ChannelStatus spend_budget_of_call(Deadline deadline) noexcept {
  Runner* const runner = this_runner();
  if (pay_from_budget(runner)) [[likely]]
    return detail::ChannelStatus::kDone;
  const WaitOutcome spent = yield_at_end_of_budget(*runner, deadline);
  return spent == WaitOutcome::kReady ? detail::ChannelStatus::kDone : status_of_end(spent);
}

}  // namespace weft
