// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace weft {

/// What happened to one open file since it was opened.
struct DescriptorCounters {
  std::uint32_t registrations = 0;          ///< added to an event loop
  std::uint32_t transfers = 0;              ///< moved from one event loop to another
  std::uint32_t wakeups = 0;                ///< fibers woken by events
  std::uint32_t cross_context_wakeups = 0;  ///< of those, of another context than the event loop's
  std::uint32_t unawaited_edges = 0;        ///< edges that came while nobody waited
};

/// What one event loop has done since it was made. Snapshots are exact when the loop is quiet.
struct EventLoopCounters {
  std::uint64_t registrations = 0;          ///< descriptors added
  std::uint64_t modifications = 0;          ///< changes of what an added descriptor is watched for
  std::uint64_t deletions = 0;              ///< descriptors deleted
  std::uint64_t transfers = 0;              ///< descriptors taken over from another loop
  std::uint64_t failed_registrations = 0;   ///< refused by the kernel
  std::uint64_t polls = 0;                  ///< calls that asked the kernel for events
  std::uint64_t empty_polls = 0;            ///< of those, answered with none
  std::uint64_t events = 0;                 ///< events taken
  std::uint64_t stale_events = 0;           ///< of those, for a file closed meanwhile
  std::uint64_t unawaited_edges = 0;        ///< of those, useless: nobody waited
  std::uint64_t wakeups = 0;                ///< fibers woken by events and deadlines
  std::uint64_t cross_context_wakeups = 0;  ///< of those, of other contexts
  std::uint64_t interrupts = 0;             ///< times the loop was interrupted in its sleep
  std::uint64_t timers_fired = 0;           ///< deadlines that ended a wait
  std::uint64_t spins = 0;                  ///< times it polled in a row instead of sleeping
  std::uint64_t useful_spins = 0;           ///< of those, that found an event or were interrupted
};

/// What the schedulers of one execution context have done since it was made.
struct ContextCounters {
  std::uint64_t fibers_spawned = 0;   ///< fibers started in the context
  std::uint64_t fibers_finished = 0;  ///< of those, ended
  std::uint64_t switches = 0;         ///< times a scheduler resumed a fiber
  std::uint64_t local_enqueues = 0;   ///< runnable fibers put in the queue of the calling scheduler
  std::uint64_t global_enqueues = 0;  ///< runnable fibers put in the context's queue from outside
  std::uint64_t overflows = 0;        ///< times a full local queue gave half of it to the context's
  std::uint64_t steals = 0;           ///< successful thefts
  std::uint64_t stolen_fibers = 0;    ///< fibers they moved
  std::uint64_t parks = 0;            ///< times a scheduler had to wait outside the event loop
  std::uint64_t unparks = 0;          ///< times one was woken
  std::uint64_t spins = 0;            ///< times one looked for that for a moment before it slept
  std::uint64_t useful_spins = 0;     ///< of those, woken before it slept
  std::uint64_t put_off_writes = 0;   ///< writes made when there was nothing else to run
  std::uint64_t write_batches = 0;    ///< system calls that made several of them
};

}  // namespace weft
