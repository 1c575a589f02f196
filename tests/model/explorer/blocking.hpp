// SPDX-License-Identifier: Apache-2.0
#pragma once

// Threads and fibers that sleep, as steps of the execution that is going on.

#include "model/explorer/hooks.hpp"

namespace weft::model {

/// Sleeps on the 32-bit word at `address` while it holds `expected`; false if it timed out. With a deadline
/// it may time out at any moment.
bool futex_wait(void* address, std::uint32_t expected, bool has_deadline, Where = Where::here());
/// Wakes up to `count` sleepers, the oldest first; returns how many. The word may be gone.
int futex_wake(void* address, int count, Where = Where::here());

/// Waits for the running thread's enqueue(), which may have come already. A thread that holds a lock must
/// not.
void suspend(Where = Where::here());
/// Lets `thread` come out of its suspend(), the present one or the next one. Once for each.
void enqueue(unsigned thread, Where = Where::here());

}  // namespace weft::model
