// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fiber/wait_word.hpp"

#include <weft/result.hpp>

namespace weft {

/// What the caller of an operation is told of how a wait ended. Success: what was waited for has come, or it
/// is to be tried again.
inline Result<void> result_of_outcome(WaitOutcome outcome) noexcept {
  switch (outcome) {
    case WaitOutcome::kTimedOut: return Errc::timed_out;
    case WaitOutcome::kCancelled: return Errc::cancelled;
    case WaitOutcome::kClosed: return Errc::closed;
    default: return {};
  }
}

/// Why a wait ended that has failed: its deadline has passed, or it was cancelled.
inline Errc error_of_outcome(WaitOutcome outcome) noexcept {
  return outcome == WaitOutcome::kTimedOut ? Errc::timed_out : Errc::cancelled;
}

/// An outcome that only somebody with the node in hand gives, who has taken it off its list under the lock.
inline bool won_through_list(WaitOutcome outcome) noexcept {
  return outcome != WaitOutcome::kTimedOut && outcome != WaitOutcome::kCancelled;
}

}  // namespace weft
