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

EventLoopCounters sum_of(const EventLoopCounters& one, const EventLoopCounters& other) noexcept {
  return {.registrations = one.registrations + other.registrations,
          .modifications = one.modifications + other.modifications,
          .deletions = one.deletions + other.deletions,
          .transfers = one.transfers + other.transfers,
          .failed_registrations = one.failed_registrations + other.failed_registrations,
          .polls = one.polls + other.polls,
          .empty_polls = one.empty_polls + other.empty_polls,
          .events = one.events + other.events,
          .stale_events = one.stale_events + other.stale_events,
          .unawaited_edges = one.unawaited_edges + other.unawaited_edges,
          .wakeups = one.wakeups + other.wakeups,
          .cross_context_wakeups = one.cross_context_wakeups + other.cross_context_wakeups,
          .interrupts = one.interrupts + other.interrupts,
          .timers_fired = one.timers_fired + other.timers_fired,
          .spins = one.spins + other.spins,
          .useful_spins = one.useful_spins + other.useful_spins};
}

}  // namespace weft
