// SPDX-License-Identifier: Apache-2.0
#include "execution_context/diagnostics/deadlock_watch.hpp"

#include "execution_context/diagnostics/stall_reports.hpp"

#include <algorithm>

namespace weft {

void DeadlockWatch::something_ran() noexcept {
  pause_ns_ = kFirstPauseNs;
  next_ns_ = 0;
}

std::int64_t DeadlockWatch::look(std::int64_t now_ns) {
  const DeadlockDetection detection = deadlock_detection();
  if (detection == DeadlockDetection::kOff) return kNever;
  if (now_ns < next_ns_) return next_ns_;
  using Answer = DeadlockCheck::Answer;
  const Answer answer = check_.ask(detection == DeadlockDetection::kAssumeThreadsIdle);
  if (answer == Answer::kUnknown) {
    next_ns_ = now_ns + pause_ns_;
    pause_ns_ = std::min(2 * pause_ns_, kLastPauseNs);
  } else {
    next_ns_ = kNever;
  }
  if (answer == Answer::kDeadlocked) report_deadlock(check_.fibers(), check_.threads());
  return next_ns_;
}

}  // namespace weft
