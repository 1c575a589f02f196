// SPDX-License-Identifier: Apache-2.0
#pragma once

// A thread that parks looks for its token for a moment before it sleeps, where that pays: two contexts that
// answer each other would wake a sleeping CPU twice for each question otherwise (docs/design/idle.md).
// Whether it pays is SpinPolicy's decision, as in an event loop; each time that somebody unparks the thread
// is an event.
//
// Thread safety: the thread's own, but for the counters.

#include "event_loop/loop_counters.hpp"
#include "event_loop/polling/spin_policy.hpp"
#include "execution_context/idle/parker.hpp"

#include <cstdint>

namespace weft {

class ParkSpin {
 public:
  /// parker.park(), by the thread of that number.
  void park(Parker& parker, int thread_id) noexcept;

  std::uint64_t spins() const noexcept { return spins_.load(); }
  std::uint64_t useful_spins() const noexcept { return useful_spins_.load(); }

 private:
  bool spin(Parker& parker) noexcept;

  SpinPolicy policy_;
  OwnedCounter spins_;
  OwnedCounter useful_spins_;
};

}  // namespace weft
