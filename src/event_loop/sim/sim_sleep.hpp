// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"

#include <weft/deadline.hpp>

#include <cstdint>

namespace weft {

/// The real sleep of a simulation's thread: the only thing that a simulation does in real time. The protocol
/// is that of every event loop (docs/design/idle.md): announce, look for work, sleep; publish work,
/// interrupt.
///
/// Thread safety: interrupt() any thread; the rest the driving thread.
class SimSleep {
 public:
  // seq_cst: the sleeper announces, then looks for work; the submitter publishes work, then looks here (S2).
  void announce() noexcept { word_.store(kAnnounced, seq_cst); }
  void end() noexcept { word_.store(kAwake, relaxed); }
  /// False: nothing was announced, or somebody has interrupted since.
  bool announced() const noexcept { return word_.load(relaxed) == kAnnounced; }

  /// Sleeps until interrupted, or until `deadline` of the real clock. False: it passed. REQUIRES: announce()
  /// came before.
  bool sleep(Deadline deadline) noexcept;

  /// True if the thread was asleep.
  bool interrupt() noexcept;

 private:
  static constexpr std::uint32_t kAwake = 0;      // will not sleep
  static constexpr std::uint32_t kAnnounced = 1;  // about to sleep: still looks at the word itself
  static constexpr std::uint32_t kAsleep = 2;     // in the futex, or just about to be: must be notified

  Atomic<std::uint32_t> word_{kAwake};
};

}  // namespace weft
