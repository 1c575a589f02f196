// SPDX-License-Identifier: Apache-2.0
// The calls on a channel: one step under the lock, then the hand-over or the wait (docs/design/channel.md).
//
// A step is compiled twice: for elements that are moved by copying four or eight bytes (numbers, pointers) it
// makes no calls, and saves no registers, unless somebody waits or has to be waited for.
#include "base/hot.hpp"
#include "fiber/budget.hpp"
#include "sync/channel_core.hpp"
#include "sync/channel_waiters.hpp"

#include <cstring>
#include <mutex>

namespace weft {
namespace {

using detail::ElementType;

WEFT_HOT void copy(const ElementType& type, void* to, const void* from) noexcept {
  type.plain_size == 4 ? std::memcpy(to, from, 4) : std::memcpy(to, from, 8);
}

template <bool kPlain>
WEFT_HOT void move(const ElementType& type, void* to, void* from) noexcept {
  kPlain ? copy(type, to, from) : type.move(to, from);
}

template <bool kPlain>
WEFT_HOT void relocate(const ElementType& type, void* to, void* from) noexcept {
  kPlain ? copy(type, to, from) : type.relocate(to, from);
}

ChannelStatus wake_partner(ChannelNode& partner) noexcept {
  partner.transferred = true;
  partner.waiter->wake();  // publishes that, and the element; the node dies with it
  return ChannelStatus::kDone;
}

ChannelStatus status_of_failure(WaitOutcome outcome) noexcept {
  return outcome == WaitOutcome::kTimedOut ? ChannelStatus::kTimedOut : ChannelStatus::kCancelled;
}

}  // namespace

WEFT_HOT void* ChannelCore::free_slot_locked() noexcept {
  // In 64 bits: head and count are less than 2^31 each, their sum may not be.
  const std::uint64_t end = std::uint64_t{head_} + count_;
  return slot(static_cast<std::uint32_t>(end < capacity_ ? end : end - capacity_));
}

template <bool kPlain>
WEFT_HOT void ChannelCore::put_last_locked(void* value) noexcept {
  move<kPlain>(type_, free_slot_locked(), value);
  ++count_;
}

template <bool kPlain>
WEFT_HOT void ChannelCore::take_first_locked(void* element) noexcept {
  relocate<kPlain>(type_, element, slot(head_));
  head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
  --count_;
}

ChannelStatus ChannelCore::send_locked(void* value, Handover& handover) noexcept {
  if (closed_) [[unlikely]] {
    found_closed();
    return ChannelStatus::kClosed;
  }
  if (!receivers_.empty()) {  // C1: the ring is empty
    if (ChannelNode* const receiver = win_first(receivers_)) [[likely]] {
      handover = {receiver, receiver->element, value};
      return ChannelStatus::kDone;
    }
  }
  if (count_ == capacity_) return ChannelStatus::kWouldBlock;
  put_last_locked<false>(value);
  return ChannelStatus::kDone;
}

ChannelStatus ChannelCore::receive_locked(void* element, Handover& handover) noexcept {
  if (count_ != 0) {
    take_first_locked<false>(element);
    if (!senders_.empty()) {  // C2: there was no room until now; the oldest of them is next in the ring
      if (ChannelNode* const sender = win_first(senders_)) {
        put_last_locked<false>(sender->element);
        handover.partner = sender;
      }
    }
    return ChannelStatus::kDone;
  }
  if (!senders_.empty()) {  // a rendezvous
    if (ChannelNode* const sender = win_first(senders_)) [[likely]] {
      handover = {sender, element, sender->element};
      return ChannelStatus::kDone;
    }
  }
  if (!closed_) return ChannelStatus::kWouldBlock;
  found_closed();
  return ChannelStatus::kClosed;
}

void ChannelCore::complete(const Handover& handover, const ElementType& type) noexcept {
  if (handover.partner == nullptr) return;
  // Won, but not woken: the partner and its element stay where they are (docs/design/wait.md, WW6).
  if (handover.to != nullptr) type.move(handover.to, handover.from);
  wake_partner(*handover.partner);
}

// REQUIRES: the lock, which is released here, as by all that follow. The step was looked for, and not
// possible, under the same lock: whoever makes it possible finds the node. `kSimply`: `self` is a fiber, in
// no scope, and there is no deadline.
template <bool kSimply>
WEFT_HOT ChannelStatus ChannelCore::wait_as(Waiter& self, ChannelWaiters& waiters, WaitingFor what,
                                            void* element, Deadline deadline) noexcept {
  const WaitTicket ticket =
      kSimply ? self.begin_without_scope(WaitWord::Cancellable::kYes, Waiter::kNoDeadline, what)
              : self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), what);
  ChannelNode node;
  node.waiter = &self;
  node.ticket = ticket;
  node.element = element;
  waiters.push_back(node);
  lock_.unlock();
  const WaitOutcome outcome = kSimply ? self.wait_simply() : self.wait();
  // Won through the list, and taken off it: the channel may be gone.
  if (outcome == WaitOutcome::kReady) [[likely]]
    return node.transferred ? ChannelStatus::kDone : ChannelStatus::kClosed;
  return give_up(waiters, node, outcome);
}

[[gnu::cold, gnu::noinline]] ChannelStatus ChannelCore::give_up(ChannelWaiters& waiters, ChannelNode& node,
                                                                WaitOutcome outcome) noexcept {
  std::scoped_lock lock(lock_);
  remove_if_linked(waiters, node);
  return status_of_failure(outcome);
}

[[gnu::noinline]] ChannelStatus ChannelCore::wait_otherwise(ChannelWaiters& waiters, WaitKind kind,
                                                            void* element, Deadline deadline) noexcept {
  return wait_as<false>(Waiter::current(), waiters, {kind, this}, element, deadline);
}

WEFT_HOT ChannelStatus ChannelCore::wait_among(ChannelWaiters& waiters, WaitKind kind, void* element,
                                               Deadline deadline) noexcept {
  Fiber* const self = this_fiber_or_null();
  if (self == nullptr || self->scope.load(relaxed) != nullptr || !deadline.is_never()) [[unlikely]]
    return wait_otherwise(waiters, kind, element, deadline);
  return wait_as<true>(*self, waiters, {kind, this}, element, deadline);
}
[[gnu::noinline]] ChannelStatus ChannelCore::wait_for_receiver(void* value, Deadline deadline) noexcept {
  return wait_among(senders_, WaitKind::kSend, value, deadline);
}
[[gnu::noinline]] ChannelStatus ChannelCore::wait_for_sender(void* element, Deadline deadline) noexcept {
  return wait_among(receivers_, WaitKind::kReceive, element, deadline);
}

// Every outcome of a step. The usual ones are looked for before, in functions that need no frame.
[[gnu::noinline]] ChannelStatus ChannelCore::send_or_wait(void* value, Deadline deadline) noexcept {
  const ElementType& type = type_;
  Handover handover;
  const ChannelStatus status = send_locked(value, handover);
  if (status == ChannelStatus::kWouldBlock) return wait_for_receiver(value, deadline);
  lock_.unlock();
  complete(handover, type);
  return status;
}

[[gnu::noinline]] ChannelStatus ChannelCore::receive_or_wait(void* element, Deadline deadline) noexcept {
  const ElementType& type = type_;
  Handover handover;
  const ChannelStatus status = receive_locked(element, handover);
  if (status == ChannelStatus::kWouldBlock) return wait_for_sender(element, deadline);
  lock_.unlock();
  complete(handover, type);
  return status;
}

// A hand-over to the oldest waiter, if its wait can be won at once.
template <bool kPlain>
[[gnu::noinline]] ChannelStatus ChannelCore::send_to_receiver(void* value, Deadline deadline) noexcept {
  ChannelNode& receiver = receivers_.front();
  if (closed_ || !receiver.waiter->word.try_win_at_once(receiver.ticket, receiver.win)) [[unlikely]]
    return send_or_wait(value, deadline);
  const ElementType& type = type_;
  receivers_.remove(receiver);
  lock_.unlock();
  move<kPlain>(type, receiver.element, value);
  return wake_partner(receiver);
}

template <bool kPlain>
[[gnu::noinline]] ChannelStatus ChannelCore::receive_from_sender(void* element, Deadline deadline) noexcept {
  ChannelNode& sender = senders_.front();
  if (count_ != 0 || !sender.waiter->word.try_win_at_once(sender.ticket, sender.win)) [[unlikely]]
    return receive_or_wait(element, deadline);
  const ElementType& type = type_;
  senders_.remove(sender);
  lock_.unlock();
  move<kPlain>(type, element, sender.element);
  return wake_partner(sender);
}

template <bool kPlain>
WEFT_HOT ChannelStatus ChannelCore::send_now(void* value, Deadline deadline) noexcept {
  lock_.lock();
  if (!receivers_.empty()) return send_to_receiver<kPlain>(value, deadline);
  if (closed_) [[unlikely]]
    return send_or_wait(value, deadline);
  if (count_ == capacity_) return wait_for_receiver(value, deadline);
  put_last_locked<kPlain>(value);
  lock_.unlock();
  return ChannelStatus::kDone;
}

template <bool kPlain>
WEFT_HOT ChannelStatus ChannelCore::receive_now(void* element, Deadline deadline) noexcept {
  lock_.lock();
  if (!senders_.empty()) return receive_from_sender<kPlain>(element, deadline);
  if (count_ == 0) return closed_ ? receive_or_wait(element, deadline) : wait_for_sender(element, deadline);
  take_first_locked<kPlain>(element);
  lock_.unlock();
  return ChannelStatus::kDone;
}

// Out of line, as what they call is: so the calls for plain elements save no registers.
[[gnu::noinline]] ChannelStatus ChannelCore::send_by_functions(void* value, Deadline deadline) noexcept {
  return send_now<false>(value, deadline);
}
[[gnu::noinline]] ChannelStatus ChannelCore::receive_by_functions(void* element, Deadline deadline) noexcept {
  return receive_now<false>(element, deadline);
}
[[gnu::noinline]] ChannelStatus ChannelCore::send_at_end_of_budget(void* value, Deadline deadline) noexcept {
  const WaitOutcome spent = yield_at_end_of_budget(*this_runner(), deadline);
  return spent == WaitOutcome::kReady ? send_by_functions(value, deadline) : status_of_failure(spent);
}
[[gnu::noinline]] ChannelStatus ChannelCore::receive_at_end_of_budget(void* element,
                                                                      Deadline deadline) noexcept {
  const WaitOutcome spent = yield_at_end_of_budget(*this_runner(), deadline);
  return spent == WaitOutcome::kReady ? receive_by_functions(element, deadline) : status_of_failure(spent);
}

// Not inlined by the linker into who knows how large the element is: gcc then warns of the copy that is not
// made.
[[gnu::noinline]] ChannelStatus ChannelCore::send(void* value, Deadline deadline) noexcept {
  if (!pay_from_budget(this_runner())) [[unlikely]]
    return send_at_end_of_budget(value, deadline);
  if (type_.plain_size == 0) return send_by_functions(value, deadline);
  return send_now<true>(value, deadline);
}

[[gnu::noinline]] ChannelStatus ChannelCore::receive(void* element, Deadline deadline) noexcept {
  if (!pay_from_budget(this_runner())) [[unlikely]]
    return receive_at_end_of_budget(element, deadline);
  if (type_.plain_size == 0) return receive_by_functions(element, deadline);
  return receive_now<true>(element, deadline);
}

ChannelStatus ChannelCore::try_send(void* value) noexcept {
  const ElementType& type = type_;
  Handover handover;
  lock_.lock();
  const ChannelStatus status = send_locked(value, handover);
  lock_.unlock();
  complete(handover, type);
  return status;
}

ChannelStatus ChannelCore::try_receive(void* element) noexcept {
  const ElementType& type = type_;
  Handover handover;
  lock_.lock();
  const ChannelStatus status = receive_locked(element, handover);
  lock_.unlock();
  complete(handover, type);
  return status;
}

}  // namespace weft
