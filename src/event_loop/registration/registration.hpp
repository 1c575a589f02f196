// SPDX-License-Identifier: Apache-2.0
#pragma once

// The policies by which a loop registers descriptors (docs/design/strategies.md): what differs between
// strategies, but for which loops there are. The policies are one screen each: registration_lifetime.cpp
// (transfer, pinned, at open), registration_per_wait.cpp, registration_broadcast.cpp.
//
// Thread safety: policies have no state. Functions that end in _locked require the descriptor's lock, the
// others must be called without it: they make system calls. "The mover" is whoever has set kInTransfer;
// nobody else changes a registration meanwhile.

#include "event_loop/registration/wait_plan.hpp"

#include <weft/event_loop_strategy.hpp>
#include <weft/result.hpp>

namespace weft {

class PollingEventLoop;

class RegistrationPolicy {
 public:
  /// The policy of a strategy; its placement does not matter.
  static const RegistrationPolicy& of(const EventLoopStrategy& strategy) noexcept;

  /// Whether a fiber of `loop` may wait through the registration that there is, though nobody else waits.
  virtual bool serves_locked(const Descriptor&, const PollingEventLoop& loop) const noexcept = 0;

  /// Adds the descriptor, beside the old registration if there is one. By the mover, or while nobody else
  /// knows the descriptor.
  virtual Result<void> enter(Descriptor&, PollingEventLoop& loop) const noexcept = 0;
  /// Whether entering goes on with the old registration, which is not left then.
  virtual bool keeps(const Registered&) const noexcept { return false; }
  /// Stores the state after enter() had success, and the old registration was left. By the mover. An error
  /// has ended the waits there were.
  virtual Result<void> finish(Descriptor&, PollingEventLoop& loop) const noexcept = 0;

  /// Whether a file is entered when it is opened.
  virtual bool at_open() const noexcept { return false; }

 protected:
  ~RegistrationPolicy() = default;
};

const RegistrationPolicy& transfer_policy() noexcept;
const RegistrationPolicy& pinned_policy() noexcept;
const RegistrationPolicy& at_open_policy() noexcept;
const RegistrationPolicy& per_wait_policy() noexcept;
const RegistrationPolicy& broadcast_policy() noexcept;

/// Deletes a registration. By the mover, or the last user.
void leave(Descriptor&, const Registered&) noexcept;

/// Whether the registration that the mover found is still good for waiting through it: some loop that has it
/// is alive, and will come by when it retires (R3).
bool alive_locked(const Descriptor&, const Registered&) noexcept;

/// per_wait: makes the edges of an awaited descriptor those that are waited for. By the mover, with `owner`
/// and `edges` as they are; afterwards it is not the mover any more. An error has ended the waits there were.
Result<void> settle_edges(Descriptor&) noexcept;
/// The same by somebody who has stopped waiting, if there is something to settle and nobody else does it.
void settle_after_wait(Descriptor&) noexcept;

/// broadcast: deletes the descriptor from every loop.
void leave_broadcast(const Descriptor&) noexcept;
/// Whether a living loop has the descriptor.
bool broadcast_alive_locked(const Descriptor&) noexcept;

}  // namespace weft
