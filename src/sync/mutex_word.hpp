// SPDX-License-Identifier: Apache-2.0
#pragma once

// The word of a mutex, and its slow paths (docs/design/mutex.md). The fast ones are in <weft/mutex.hpp>.
//
//   bit 0      queue   somebody works on the chain of waiters
//   bit 1      locked
//   bit 2      woken   one waiter was woken, off the chain, and has not tried yet: no other is woken
//   bits 3..63 the first waiter's node, 0 if there is none
//
// Thread safety: any fiber or thread. While `locked` is set, its holder alone clears it; `woken` is cleared
// by the one waiter that it stands for; the chain changes under the queue bit only. Invariants: MX1 a free
// mutex with waiters has `woken` set, or the queue bit's holder looks again. MX2 at most one waiter is woken
// and has not tried. MX3 a waiter that has lost kLossesMax times is handed the lock: it goes over without
// ever being free. MX4 the operation that frees the word is its last touch by the unlocker.

#include "sync/wait_queue.hpp"

namespace weft::mutex_word {

inline constexpr std::uintptr_t kLocked = 2;
inline constexpr std::uintptr_t kWoken = 4;
inline constexpr std::uintptr_t kFlags = kQueueBit | kLocked | kWoken;

/// Wake-ups in vain after which a waiter is handed the lock.
inline constexpr std::uint8_t kLossesMax = 4;

/// Takes a free lock, also past waiters. Any thread; suspends: no.
bool try_lock(SyncWord& word) noexcept;

/// Waits for the lock: kReady when it is the caller's. Suspends.
WaitOutcome lock(SyncWord& word, WaitWord::Cancellable cancellable, Deadline deadline) noexcept;

/// Unlocks, and wakes a waiter, or hands the lock over to one that has lost `losses_max` times. Suspends: no.
void unlock(SyncWord& word, std::uint8_t losses_max = kLossesMax) noexcept;

}  // namespace weft::mutex_word
