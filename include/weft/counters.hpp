// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft {

/// Counts for one open descriptor, from its opening on.
struct DescriptorCounters {
  std::uint32_t registrations = 0;          ///< times it was added to an event loop
  std::uint32_t transfers = 0;              ///< times its registration was transferred to another event loop
  std::uint32_t wakeups = 0;                ///< fibers woken by its events
  std::uint32_t cross_context_wakeups = 0;  ///< of those, fibers of a context other than the event loop's
  std::uint32_t unawaited_edges = 0;        ///< edges that arrived while no fiber waited
};

/// Counts for one event loop, from its creation on. A snapshot is exact when the loop is quiet.
struct EventLoopCounters {
  std::uint64_t registrations = 0;          ///< descriptors added
  std::uint64_t modifications = 0;          ///< changes of the events that a descriptor is watched for
  std::uint64_t deletions = 0;              ///< descriptors deleted
  std::uint64_t transfers = 0;              ///< descriptors transferred from another loop to this one
  std::uint64_t failed_registrations = 0;   ///< additions that the kernel refused
  std::uint64_t polls = 0;                  ///< calls that asked the kernel for events
  std::uint64_t empty_polls = 0;            ///< of those, calls that returned no event
  std::uint64_t events = 0;                 ///< events received
  std::uint64_t stale_events = 0;           ///< of those, events for a descriptor that was closed meanwhile
  std::uint64_t unawaited_edges = 0;        ///< of those, events that no fiber waited for
  std::uint64_t wakeups = 0;                ///< fibers woken by events and deadlines
  std::uint64_t cross_context_wakeups = 0;  ///< of those, fibers of other contexts
  std::uint64_t interrupts = 0;             ///< times the loop was interrupted in its sleep
  std::uint64_t timers_fired = 0;           ///< deadlines that ended a wait
  std::uint64_t spins = 0;                  ///< times the loop polled repeatedly instead of sleeping
  std::uint64_t useful_spins = 0;           ///< of those, spins that found an event or were interrupted
};

/// Counts for the schedulers of one execution context, from its creation on.
struct ContextCounters {
  std::uint64_t fibers_spawned = 0;   ///< fibers started in the context
  std::uint64_t fibers_finished = 0;  ///< of those, fibers that have ended
  std::uint64_t switches = 0;         ///< times a scheduler resumed a fiber
  std::uint64_t local_enqueues = 0;   ///< runnable fibers added to the local queue of the calling scheduler
  std::uint64_t global_enqueues = 0;  ///< runnable fibers added to the context's queue from outside
  std::uint64_t overflows = 0;       ///< times a full local queue gave half its fibers to the context's queue
  std::uint64_t steals = 0;          ///< times a scheduler stole fibers from another one
  std::uint64_t stolen_fibers = 0;   ///< fibers stolen in total
  std::uint64_t parks = 0;           ///< times a thread parked outside the event loop
  std::uint64_t unparks = 0;         ///< times a parked thread was woken
  std::uint64_t spins = 0;           ///< times a thread spun for a moment before it slept
  std::uint64_t useful_spins = 0;    ///< of those, spins in which it was woken
  std::uint64_t put_off_writes = 0;  ///< writes that were delayed until the thread had nothing else to run
  std::uint64_t write_batches = 0;   ///< system calls that sent several of them
};

}  // namespace weft
