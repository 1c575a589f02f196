// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the polling loops tell the migration diagnostics (docs/design/migration-diagnostics.md). Everything
// here is off the path of a descriptor that stays where it is (M1).

#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/registration/wait_plan.hpp"
#include "fiber/fiber_queue.hpp"

namespace weft {

/// Counts a transfer of the descriptor. By the mover, after the old registration was left; without the lock.
[[nodiscard]] MigrationWatch::Step count_transfer(Descriptor&) noexcept;
/// Writes down that the calling fiber has transferred the descriptor. By the mover, without a lock. REQUIRES:
/// count_transfer() did not say kNothing.
[[gnu::cold]] void note_transfer(Descriptor&, MigrationWatch::Step, const Registered& from,
                                 const Home* to) noexcept;

/// Counts a wake-up by a poller of `poller`'s, some of it across contexts, if it is a turn. With the
/// descriptor's lock.
[[nodiscard, gnu::noinline]] MigrationWatch::Step count_crossing_locked(Descriptor&, const FiberQueue& won,
                                                                        const Home* poller) noexcept;
/// Writes down who is about to be woken across contexts. By the poller, after the unlock, before the
/// wake-up: until then the descriptor cannot be closed under it (M3). REQUIRES: as note_transfer().
[[gnu::cold]] void note_crossing(Descriptor&, MigrationWatch::Step, const FiberQueue& won,
                                 const Home* poller) noexcept;

}  // namespace weft
