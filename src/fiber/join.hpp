// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a fiber ends and how others wait for it: the untyped half of a join handle.
//
// Thread safety: any thread that holds a reference. A fiber's end, joins and detach meet under its
// join_lock; joiners are woken after it is released.

#include <weft/deadline.hpp>

#include "base/detail_names.hpp"
#include "fiber/waiter.hpp"

#include <exception>

namespace weft {

/// Marks `fiber` done and wakes who waits for it; an exception that nobody can receive ends the program.
/// By the fiber itself. True if it is detached: then its result is its own to destroy. Suspends: no.
[[nodiscard]] bool complete_fiber(Fiber& fiber) noexcept;

/// How many may wait for the end of a fiber: the holder of its handle is one.
enum class Joiners : bool { kOne, kMany };

/// Waits until `fiber` is done: kReady; or kTimedOut, kCancelled. Suspends the calling fiber, or blocks
/// the calling thread, unless it is done already. Afterwards `fiber.main_returned` and `fiber.exception`
/// may be read. BUG if a fiber waits for itself, and with kOne if another one waits.
WaitOutcome join_fiber(Fiber& fiber, Deadline deadline, WaitWord::Cancellable cancellable,
                       Joiners joiners = Joiners::kMany) noexcept;

/// Whether a fiber other than `self` waits for the end of `fiber` now. With its join_lock.
bool awaited_by_another_locked(Fiber& fiber, const Waiter& self) noexcept;

/// Whether `fiber` is done, without waiting.
bool fiber_done(Fiber& fiber) noexcept;

/// Whether nobody has a handle of `fiber` any more, so that nobody can join it.
bool fiber_detached(Fiber& fiber) noexcept;

/// Takes what escaped from a done fiber, null if nothing did. From then on it counts as received.
std::exception_ptr take_fiber_exception(Fiber& fiber) noexcept;

/// Nobody will join `fiber`: an exception that escaped, or will escape, ends the program. The handle's
/// reference stays to be released. Destroys the result of a fiber that is done already, and may suspend for
/// that.
void detach_fiber(Fiber& fiber) noexcept;

}  // namespace weft
