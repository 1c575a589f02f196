// SPDX-License-Identifier: Apache-2.0
// The beginning and the end of a polling loop.
#include "event_loop/polling/polling_event_loop.hpp"

#include "event_loop/descriptor/descriptor_arena.hpp"
#include "event_loop/descriptor/descriptor_waiters.hpp"
#include "event_loop/registration/loop_registry.hpp"
#include "fiber/budget.hpp"

#include <mutex>

namespace weft {

PollingEventLoop::PollingEventLoop(const RegistrationPolicy& policy) noexcept
    : EventLoop(LoopRegistry::instance().add(*this)), arena_(DescriptorArena::instance()), policy_(policy) {}

PollingEventLoop::~PollingEventLoop() {
  if (!retired_ && id()) retire();
}

void PollingEventLoop::announce() noexcept {
  if (&policy_ == &broadcast_policy()) LoopRegistry::instance().announce(*this);
}

// A wait that was forwarded to this loop looks at the ownership under the descriptor's lock: either it is in
// the list when we come by, or it finds the descriptor unowned. A mover that leaves this loop has it pinned;
// one whose add() fails looks, under the descriptor's lock, whether this loop is alive before it gives the
// descriptor back to it: so the name becomes stale before we come by, not after (L15).
void PollingEventLoop::retire() noexcept {
  if (inherited_) return;
  end_completions();
  retired_ = true;
  LoopRegistry::instance().retire(id());
  std::uint32_t looked_at = 0;
  const auto disown = [&](Descriptor& descriptor) {
    if (++looked_at % kPortion == 0) rest_between_portions();
    WaitList taken;
    {
      std::scoped_lock lock(descriptor.lock);
      if (descriptor.ownership == Ownership::kOwned || descriptor.ownership == Ownership::kAwaited) {
        if (descriptor.owner != id()) return;
        descriptor.ownership = Ownership::kUnowned;
        descriptor.owner = {};
      } else if (descriptor.ownership != Ownership::kBroadcast || birth() == 0) {
        return;
      }  // else other loops may have it, but some who wait may have had this one only
      take_all_waiters_locked(descriptor, taken);
    }
    wake_taken(descriptor, taken, WaitOutcome::kRetry);
  };
  // What this loop owns has been given to it by threads of its own, and that is over: none is missed.
  if (birth() == 0) {
    arena_.for_each_of(id(), disown);
  } else {
    arena_.for_each(disown);
  }
  LoopRegistry::instance().remove(id());
}

}  // namespace weft
