// SPDX-License-Identifier: Apache-2.0
#pragma once

// Waiting on a descriptor: the one place where a fiber is queued and suspended for it (L3, L7; P1).
// Thread safety: by fibers that are users of the descriptor. Suspends: yes.

#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/write_batch/write_turn.hpp"

#include <weft/buffer_source.hpp>
#include <weft/deadline.hpp>
#include <weft/result.hpp>

namespace weft {

/// Suspends until `direction` may be ready. Success: try again.
Result<void> wait(Descriptor& descriptor, Direction direction, Deadline deadline) noexcept;

/// The same for reading, with a write that is queued once the wait has begun: whoever finds that it failed
/// finds the waiter, too. `source` is given back then. Returns the write's ticket, 0 if there was no need to
/// wait, or others want to write; `waited` is why the wait ended.
WriteTicket wait_with_write(WriteTurn& turn, Deadline deadline, WriteSlot& slot, BufferSource& source,
                            Result<void>& waited) noexcept;

}  // namespace weft
