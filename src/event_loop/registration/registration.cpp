// SPDX-License-Identifier: Apache-2.0
// What the policies have in common: choosing one, and leaving any.
#include "event_loop/registration/registration.hpp"

#include "event_loop/polling/polling_event_loop.hpp"
#include "event_loop/registration/loop_pin.hpp"

namespace weft {

const RegistrationPolicy& RegistrationPolicy::of(const EventLoopStrategy& strategy) noexcept {
  switch (strategy.registration) {
    case EventLoopStrategy::Registration::kPerWait: return per_wait_policy();
    case EventLoopStrategy::Registration::kAtOpen: return at_open_policy();
    case EventLoopStrategy::Registration::kBroadcast: return broadcast_policy();
    default: break;
  }
  return strategy.ownership == EventLoopStrategy::Ownership::kPinned ? pinned_policy() : transfer_policy();
}

void leave(Descriptor& descriptor, const Registered& old) noexcept {
  if (old.state == Ownership::kBroadcast) return leave_broadcast(descriptor);
  const LoopPin loop(old.owner);
  if (loop) loop->forget(descriptor.fd);  // else unowned, or its loop is gone and the registration with it
}

bool alive_locked(const Descriptor& descriptor, const Registered& old) noexcept {
  switch (old.state) {
    case Ownership::kOwned: return LoopRegistry::instance().alive(old.owner);
    case Ownership::kBroadcast: return broadcast_alive_locked(descriptor);
    default: return false;  // an awaited one that nobody waits for is about to be deleted anyway
  }
}

}  // namespace weft
