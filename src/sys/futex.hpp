// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"

#include <weft/deadline.hpp>

#include <cstdint>

namespace weft::sys {

/// Blocks the calling thread while `word` holds `expected`, until woken or the deadline (of the real
/// monotonic clock) has passed. False: it has passed. True says nothing but "look again": wakes may be
/// spurious.
bool futex_wait(Atomic<std::uint32_t>& word, std::uint32_t expected,
                Deadline deadline = Deadline::never()) noexcept;

/// Wakes up to `count` of the threads of this process that wait for `word`: how many there were. The word may
/// be gone by then: the kernel looks only at its address.
int futex_wake(Atomic<std::uint32_t>& word, int count) noexcept;

/// The same in a handler of a signal: neither injected faults nor counters, which have locks.
void futex_wake_in_handler(Atomic<std::uint32_t>& word) noexcept;

}  // namespace weft::sys
