// SPDX-License-Identifier: Apache-2.0
#include "sync/channel_core.hpp"

#include "fiber/budget.hpp"

#include <mutex>
#include <new>
#include <stdexcept>

namespace weft {
namespace {

/// The first waiter whose wait can still be won, with the wait won. One that lost (it was timed out or
/// cancelled a moment ago, or another branch of its select was taken) is dropped: it is on its way.
ChannelNode* win_first(ChannelWaiters& waiters) noexcept {
  while (ChannelNode* const node = waiters.pop_front()) {
    if (node->waiter->word.try_win(node->ticket, node->win)) [[likely]]
      return node;
  }
  return nullptr;
}

void win_all(ChannelWaiters& waiters, ChannelWaiters& won) noexcept {
  while (ChannelNode* const node = win_first(waiters)) won.push_back(*node);
}

void remove(ChannelWaiters& waiters, ChannelNode& node) noexcept {
  if (node.linked()) waiters.remove(node);
}

ChannelStatus status_of_failure(WaitOutcome outcome) noexcept {
  return outcome == WaitOutcome::kTimedOut ? ChannelStatus::kTimedOut : ChannelStatus::kCancelled;
}

[[maybe_unused]] const bool send_described =
    set_wait_describer(WaitKind::kSend, [](const void* object, WaitDescription& description) noexcept {
      description.add("room in channel ");
      description.add_address(object);
    });
[[maybe_unused]] const bool receive_described =
    set_wait_describer(WaitKind::kReceive, [](const void* object, WaitDescription& description) noexcept {
      description.add("a value from channel ");
      description.add_address(object);
    });

}  // namespace

void Handover::complete(const detail::ElementType& type) const noexcept {
  if (partner == nullptr) return;
  // Won, but not woken: the partner and its element stay where they are (docs/design/wait.md, invariant 6).
  if (to != nullptr) type.move(to, from);
  partner->transferred = true;
  partner->waiter->wake();  // publishes the two above; the node dies with it
}

ChannelCore::ChannelCore(const detail::ElementType& type, std::uint32_t capacity) noexcept
    : capacity_(capacity), type_(type), ring_(reinterpret_cast<std::byte*>(this) + ring_offset(type)) {}

ChannelCore::~ChannelCore() {
  WEFT_ASSERT(receivers_.empty() && senders_.empty(), "a channel is destroyed while somebody waits on it");
  for (; count_ != 0; --count_) {
    type_.destroy(slot(head_));
    head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
  }
}

std::size_t ChannelCore::alignment(const detail::ElementType& type) noexcept {
  return type.alignment > alignof(ChannelCore) ? type.alignment : alignof(ChannelCore);
}

std::size_t ChannelCore::ring_offset(const detail::ElementType& type) noexcept {
  return (sizeof(ChannelCore) + type.alignment - 1) / type.alignment * type.alignment;
}

ChannelCore* ChannelCore::create(const detail::ElementType& type, std::size_t capacity) {
  if (capacity > kCapacityMax) throw std::length_error("weft: a channel's capacity is at most 2^31");
  // No overflow: an element's size is less than 2^32, the capacity at most 2^31.
  if (type.size >> 32 != 0) throw std::length_error("weft: an element of a channel is smaller than 4 GiB");
  const std::size_t size = ring_offset(type) + capacity * type.size;
  void* const memory = ::operator new(size, std::align_val_t(alignment(type)));
  return new (memory) ChannelCore(type, static_cast<std::uint32_t>(capacity));
}

void ChannelCore::destroy(ChannelCore* core) noexcept {
  const std::align_val_t aligned{alignment(core->type_)};
  core->~ChannelCore();
  ::operator delete(static_cast<void*>(core), aligned);
}

void* ChannelCore::free_slot_locked() noexcept {
  // In 64 bits: head and count are less than 2^31 each, their sum may not be.
  const std::uint64_t end = std::uint64_t{head_} + count_;
  return slot(static_cast<std::uint32_t>(end < capacity_ ? end : end - capacity_));
}

void ChannelCore::take_first_locked(void* element) noexcept {
  type_.relocate(element, slot(head_));
  head_ = head_ + 1 == capacity_ ? 0 : head_ + 1;
  --count_;
}

ChannelStatus ChannelCore::send_locked(void* value, Handover& handover) noexcept {
  if (closed_) [[unlikely]]
    return ChannelStatus::kClosed;
  if (!receivers_.empty()) {  // C1: the ring is empty
    if (ChannelNode* const receiver = win_first(receivers_)) [[likely]] {
      handover = {receiver, receiver->element, value};
      return ChannelStatus::kDone;
    }
  }
  if (count_ == capacity_) return ChannelStatus::kWouldBlock;
  type_.move(free_slot_locked(), value);
  ++count_;
  return ChannelStatus::kDone;
}

ChannelStatus ChannelCore::receive_locked(void* element, Handover& handover) noexcept {
  if (count_ != 0) {
    take_first_locked(element);
    if (!senders_.empty()) {  // C2: there was no room until now; the oldest of them is next in the ring
      if (ChannelNode* const sender = win_first(senders_)) {
        type_.move(free_slot_locked(), sender->element);
        ++count_;
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
  return closed_ ? ChannelStatus::kClosed : ChannelStatus::kWouldBlock;
}

void ChannelCore::remove_sender_locked(ChannelNode& node) noexcept { remove(senders_, node); }
void ChannelCore::remove_receiver_locked(ChannelNode& node) noexcept { remove(receivers_, node); }

// REQUIRES: the lock, which is released here. The step was looked for, and not possible, under the same lock:
// whoever makes it possible finds the node.
ChannelStatus ChannelCore::wait_locked(ChannelWaiters& waiters, void* element, Deadline deadline) noexcept {
  const WaitKind kind = &waiters == &senders_ ? WaitKind::kSend : WaitKind::kReceive;
  Waiter& self = Waiter::current();
  ChannelNode node;
  node.waiter = &self;
  node.element = element;
  node.ticket = self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), {kind, this});
  waiters.push_back(node);
  lock_.unlock();
  const WaitOutcome outcome = self.wait();
  // Won through the list, and taken off it: the channel may be gone.
  if (outcome == WaitOutcome::kReady) [[likely]]
    return node.transferred ? ChannelStatus::kDone : ChannelStatus::kClosed;
  {
    std::scoped_lock lock(lock_);
    remove(waiters, node);
  }
  return status_of_failure(outcome);
}

ChannelStatus ChannelCore::send(void* value, Deadline deadline) noexcept {
  if (const WaitOutcome spent = spend_budget_before(this_runner()); spent != WaitOutcome::kReady) [[unlikely]]
    return status_of_failure(spent);
  const detail::ElementType& type = type_;
  Handover handover;
  lock_.lock();
  const ChannelStatus status = send_locked(value, handover);
  if (status == ChannelStatus::kWouldBlock) return wait_locked(senders_, value, deadline);
  lock_.unlock();
  handover.complete(type);
  return status;
}

ChannelStatus ChannelCore::receive(void* element, Deadline deadline) noexcept {
  if (const WaitOutcome spent = spend_budget_before(this_runner()); spent != WaitOutcome::kReady) [[unlikely]]
    return status_of_failure(spent);
  const detail::ElementType& type = type_;
  Handover handover;
  lock_.lock();
  const ChannelStatus status = receive_locked(element, handover);
  if (status == ChannelStatus::kWouldBlock) return wait_locked(receivers_, element, deadline);
  lock_.unlock();
  handover.complete(type);
  return status;
}

ChannelStatus ChannelCore::try_send(void* value) noexcept {
  const detail::ElementType& type = type_;
  Handover handover;
  lock_.lock();
  const ChannelStatus status = send_locked(value, handover);
  lock_.unlock();
  handover.complete(type);
  return status;
}

ChannelStatus ChannelCore::try_receive(void* element) noexcept {
  const detail::ElementType& type = type_;
  Handover handover;
  lock_.lock();
  const ChannelStatus status = receive_locked(element, handover);
  lock_.unlock();
  handover.complete(type);
  return status;
}

bool ChannelCore::close() noexcept {
  ChannelWaiters won;
  {
    std::scoped_lock lock(lock_);
    if (closed_) return false;
    closed_ = true;
    win_all(receivers_, won);
    win_all(senders_, won);
  }
  // A node dies when its waiter is woken: it is taken off first. `transferred` stays false.
  while (ChannelNode* const node = won.pop_front()) node->waiter->wake();
  return true;
}

bool ChannelCore::closed() noexcept {
  std::scoped_lock lock(lock_);
  return closed_;
}

std::size_t ChannelCore::size() noexcept {
  std::scoped_lock lock(lock_);
  return count_;
}

namespace detail {

ChannelCore* create_channel(const ElementType& type, std::size_t capacity) {
  return ChannelCore::create(type, capacity);
}
void destroy_channel(ChannelCore* core) noexcept { ChannelCore::destroy(core); }

ChannelStatus channel_send(ChannelCore& core, void* value, Deadline deadline) noexcept {
  return core.send(value, deadline);
}
ChannelStatus channel_try_send(ChannelCore& core, void* value) noexcept { return core.try_send(value); }
ChannelStatus channel_receive(ChannelCore& core, void* element, Deadline deadline) noexcept {
  return core.receive(element, deadline);
}
ChannelStatus channel_try_receive(ChannelCore& core, void* element) noexcept {
  return core.try_receive(element);
}

bool channel_close(ChannelCore& core) noexcept { return core.close(); }
bool channel_closed(ChannelCore& core) noexcept { return core.closed(); }
std::size_t channel_size(ChannelCore& core) noexcept { return core.size(); }
std::size_t channel_capacity(const ChannelCore& core) noexcept { return core.capacity(); }

}  // namespace detail
}  // namespace weft
