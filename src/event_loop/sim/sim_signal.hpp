// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a simulated file does with those who wait for it. The network's mutex is held.

#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/polling/polling_event_loop.hpp"
#include "fiber/fiber_queue.hpp"

#include <string>
#include <vector>

namespace weft {

/// Records an event and wins all the waits that it ends. True if somebody was woken.
bool sim_signal_locked(Descriptor& descriptor, Signals signals, FiberQueue& won) noexcept;

/// Appends a line for each fiber that waits on it: "fiber 3 waits to read <name>".
void describe_sim_waiters_locked(Descriptor& descriptor, const std::string& to_read,
                                 const std::string& to_write, std::vector<std::string>& lines);

}  // namespace weft
