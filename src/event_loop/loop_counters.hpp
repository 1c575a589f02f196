// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"
#include "base/cache_line.hpp"

#include <weft/counters.hpp>

#include <cstdint>

namespace weft {

/// A counter with one writer at a time (in turns, handed over by some other synchronization) and any number
/// of readers, who may see it a little late. A plain addition, where a read-modify-write would cost ten times
/// more.
class OwnedCounter {
 public:
  void add(std::uint64_t amount = 1) noexcept { value_.store(value_.load(relaxed) + amount, relaxed); }
  std::uint64_t load() const noexcept { return value_.load(relaxed); }

 private:
  Atomic<std::uint64_t> value_{0};
};

/// A counter that several threads write, off the hot path.
class SharedCounter {
 public:
  void add(std::uint64_t amount = 1) noexcept { value_.fetch_add(amount, relaxed); }
  std::uint64_t load() const noexcept { return value_.load(relaxed); }

 private:
  Atomic<std::uint64_t> value_{0};
};

/// The live form of EventLoopCounters.
struct LoopCounters {
  // Written by whoever has the poll duty.
  alignas(kCacheLine) OwnedCounter polls;
  OwnedCounter empty_polls;
  OwnedCounter events;
  OwnedCounter stale_events;
  OwnedCounter unawaited_edges;
  OwnedCounter wakeups;
  OwnedCounter cross_context_wakeups;
  OwnedCounter timers_fired;
  OwnedCounter spins;
  OwnedCounter useful_spins;

  // Written by fibers and wakers on any thread.
  alignas(kCacheLine) SharedCounter registrations;
  SharedCounter modifications;
  SharedCounter deletions;
  SharedCounter transfers;
  SharedCounter failed_registrations;
  SharedCounter interrupts;

  EventLoopCounters snapshot() const noexcept;
};

EventLoopCounters sum_of(const EventLoopCounters& one, const EventLoopCounters& other) noexcept;

}  // namespace weft
