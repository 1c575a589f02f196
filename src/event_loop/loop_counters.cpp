// SPDX-License-Identifier: Apache-2.0
#include "event_loop/loop_counters.hpp"

namespace weft {

EventLoopCounters LoopCounters::snapshot() const noexcept {
  return {.registrations = registrations.load(),
          .modifications = modifications.load(),
          .deletions = deletions.load(),
          .transfers = transfers.load(),
          .failed_registrations = failed_registrations.load(),
          .polls = polls.load(),
          .empty_polls = empty_polls.load(),
          .events = events.load(),
          .stale_events = stale_events.load(),
          .unawaited_edges = unawaited_edges.load(),
          .wakeups = wakeups.load(),
          .cross_context_wakeups = cross_context_wakeups.load(),
          .interrupts = interrupts.load(),
          .timers_fired = timers_fired.load(),
          .spins = spins.load(),
          .useful_spins = useful_spins.load()};
}

}  // namespace weft
