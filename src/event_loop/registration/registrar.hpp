// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a wait on a descriptor needs of the event loop of the waiting fiber: to be told when the descriptor is
// ready (docs/design/event-loop.md, "a wait"). The operations, a select and the watches of peers all use
// these four verbs, in this order: plan with the descriptor's lock, carry out after the unlock and before the
// wait, settle_after_wait() (registration.hpp) after it.
//
// Thread safety: by fibers of the loop's context, on any of its threads, several at a time. The caller is a
// user of the descriptor.

#include "event_loop/descriptor/descriptor.hpp"
#include "event_loop/registration/loop_id.hpp"
#include "event_loop/registration/wait_plan.hpp"

#include <weft/result.hpp>

namespace weft {

class Registrar {
 public:
  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;

  /// The loop's name; none if it registers nothing.
  LoopId id() const noexcept { return id_; }
  /// Registered here, for as long as a wait lasts: the default's path.
  bool owns_locked(const Descriptor& descriptor) const noexcept {
    return descriptor.ownership == Ownership::kOwned && descriptor.owner == id_;
  }

  /// Before a node is queued. Unless it is kNothing, carry_out() must follow.
  WaitPlan plan_wait_locked(Descriptor& descriptor, Direction direction) noexcept {
    return owns_locked(descriptor) ? WaitPlan() : plan_wait_slow_locked(descriptor, direction);
  }
  /// Before a watch of the peer is linked (descriptor/peer_watch.hpp).
  virtual WaitPlan plan_watch_locked(Descriptor&) noexcept = 0;
  /// Without the lock: it makes system calls. A failure has ended, with kRetry, every wait for the
  /// descriptor.
  virtual Result<void> carry_out(Descriptor&, const WaitPlan&) noexcept = 0;
  /// A descriptor that nobody else knows yet was made: registers it, if the loop does that when one is
  /// opened.
  virtual void opened(Descriptor&) noexcept = 0;

 protected:
  explicit Registrar(LoopId id) noexcept : id_(id) {}
  ~Registrar() = default;
  virtual WaitPlan plan_wait_slow_locked(Descriptor&, Direction) noexcept = 0;

 private:
  const LoopId id_;
};

}  // namespace weft
