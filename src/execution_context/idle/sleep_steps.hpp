// SPDX-License-Identifier: Apache-2.0
#pragma once

// The two halves of "no lost wake-up" (S2; docs/design/idle.md), for schedulers and for their model: a
// submitter publishes work, then looks for a sleeper; a sleeper announces itself, then looks for work. Store
// buffering: between the two steps of each stands a full fence, so one of them sees the other.

#include "base/atomic.hpp"
#include "execution_context/idle/idle.hpp"

namespace weft {

/// After work was published: wakes somebody to look for it, unless somebody looks already.
template <class Loop>
void wake_for_work(IdleSet& idle, Loop& loop) noexcept {
  full_fence();  // pairs with those below
  if (idle.anybody_searches() || idle.wake_one()) return;
  if (idle.may_be_in_loop()) loop.interrupt();
}

/// After the last search of all found something: wakes somebody if there is more, or if nobody is going to
/// poll: whoever freed the duty saw that somebody searched, and woke nobody (ID4). True: the duty was free.
template <class Loop, class HasWork>
bool wake_for_the_rest(IdleSet& idle, Loop& loop, HasWork&& has_work) noexcept {
  const bool duty_free = idle.poll_duty_free();
  if (duty_free || has_work()) wake_for_work(idle, loop);
  return duty_free;
}

/// Before `thread` parks: whether it must; then somebody unparks it. `look` says, of everything there is,
/// whether there is something to do.
template <class Look>
[[nodiscard]] bool must_park(IdleSet& idle, IdleThread& thread, Look&& look) noexcept {
  idle.announce(thread);
  full_fence();
  return !(look() && idle.withdraw(thread));
}

/// Before a thread blocks in the event loop: whether it may; then somebody interrupts it.
template <class Loop, class Look>
[[nodiscard]] bool may_block(Loop& loop, Look&& look) noexcept {
  loop.prepare_to_block();
  full_fence();
  if (!look()) return true;
  loop.cancel_block();
  return false;
}

}  // namespace weft
