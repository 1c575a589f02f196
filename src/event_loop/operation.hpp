// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the operations of every event loop have in common, whatever is behind them.

#include "fiber/budget.hpp"
#include "fiber/fiber.hpp"
#include "fiber/runner.hpp"
#include "fiber/wait_word.hpp"

#include <weft/result.hpp>

#include <cstddef>

namespace weft {

/// Success: the operation is tried again, woken by readiness or the end of a loop.
inline Result<void> result_of_outcome(WaitOutcome outcome) noexcept {
  switch (outcome) {
    case WaitOutcome::kTimedOut: return Errc::timed_out;
    case WaitOutcome::kCancelled: return Errc::cancelled;
    case WaitOutcome::kClosed: return Errc::closed;
    default: return {};
  }
}

/// An outcome that only somebody with the node in hand gives, who has taken it off its list under the lock.
inline bool won_through_list(WaitOutcome outcome) noexcept {
  return outcome != WaitOutcome::kTimedOut && outcome != WaitOutcome::kCancelled;
}

inline Result<std::size_t> end_of_file_if_zero(Result<std::size_t> moved) noexcept {
  if (moved && *moved == 0) return Errc::end_of_file;
  return moved;
}

}  // namespace weft
