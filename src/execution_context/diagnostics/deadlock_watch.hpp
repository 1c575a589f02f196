// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "execution_context/diagnostics/deadlock_check.hpp"

#include <cstdint>
#include <limits>

namespace weft {

/// When it is asked whether anything can still run, and what follows (docs/design/deadlock.md). The
/// monitor's.
class DeadlockWatch {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  /// There is something new to find out.
  void something_ran() noexcept;
  /// While nothing runs: reports a deadlock, once. When to call this again though nothing will have run.
  std::int64_t look(std::int64_t now_ns);

 private:
  static constexpr std::int64_t kFirstPauseNs = 1'000'000'000;
  static constexpr std::int64_t kLastPauseNs = 32 * kFirstPauseNs;

  DeadlockCheck check_;
  std::int64_t pause_ns_ = kFirstPauseNs;
  std::int64_t next_ns_ = 0;
};

}  // namespace weft
