// SPDX-License-Identifier: Apache-2.0
// The calls on a broadcast channel: one step under the lock, then the wake-ups or the wait
// (docs/design/broadcast.md).
#include "base/panic.hpp"
#include "fiber/budget.hpp"
#include "sync/broadcast/broadcast_core.hpp"
#include "sync/call_status.hpp"

#include <mutex>
#include <utility>

namespace weft {

using detail::BroadcastSubscription;
using detail::SharedValue;

ChannelStatus BroadcastCore::try_send(SharedValue& value) noexcept {
  BroadcastAftermath after;
  {
    const std::scoped_lock lock(lock_);
    const ChannelStatus status = send_locked(value, after);
    if (status != ChannelStatus::kDone) return status;
    settle_locked(after);
  }
  finish(*this, after);
  return ChannelStatus::kDone;
}

ChannelStatus BroadcastCore::send(SharedValue& value, Deadline deadline) noexcept {
  const ChannelStatus spent = spend_budget_of_call(deadline);
  if (spent != ChannelStatus::kDone) return spent;
  Waiter& self = Waiter::current();
  ChannelNode node;
  BroadcastAftermath after;
  ChannelStatus status;
  {
    const std::scoped_lock lock(lock_);
    status = send_locked(value, after);
    if (status == ChannelStatus::kWouldBlock) {
      node.waiter = &self;
      node.element = &value;
      node.ticket =
          self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), {WaitKind::kBroadcastSend, this});
      senders_.push_back(node);
    } else {
      settle_locked(after);
    }
  }
  if (status != ChannelStatus::kWouldBlock) return finish(*this, after), status;
  const WaitOutcome outcome = self.wait();
  // Won through the list, and taken off it: the channel may be gone.
  if (outcome == WaitOutcome::kReady) return node.transferred ? ChannelStatus::kDone : ChannelStatus::kClosed;
  const std::scoped_lock lock(lock_);
  remove_if_linked(senders_, node);
  return status_of_end(outcome);
}

ChannelStatus BroadcastCore::try_receive(BroadcastSubscription& place, SharedValue& value) noexcept {
  BroadcastAftermath after;
  ChannelStatus status;
  {
    const std::scoped_lock lock(lock_);
    status = receive_locked(place, value);
    settle_locked(after);
  }
  finish(*this, after);
  return status;
}

ChannelStatus BroadcastCore::receive(BroadcastSubscription& place, SharedValue& value,
                                     Deadline deadline) noexcept {
  const ChannelStatus spent = spend_budget_of_call(deadline);
  if (spent != ChannelStatus::kDone) return spent;
  Waiter& self = Waiter::current();
  for (;;) {
    PositionNode node;
    BroadcastAftermath after;
    ChannelStatus status;
    {
      const std::scoped_lock lock(lock_);
      status = receive_locked(place, value);
      if (status == ChannelStatus::kWouldBlock) {
        node.waiter = &self;
        node.ticket =
            self.begin(WaitWord::Cancellable::kYes, deadline.time_ns(), {WaitKind::kBroadcastReceive, this});
        add_receiver_locked(place, node);
      } else {
        settle_locked(after);
      }
    }
    if (status != ChannelStatus::kWouldBlock) return finish(*this, after), status;
    const WaitOutcome outcome = self.wait();
    const std::scoped_lock lock(lock_);
    remove_receiver_locked(place, node);
    if (outcome != WaitOutcome::kReady) return status_of_end(outcome);
  }
}

namespace detail {

BroadcastCore* create_broadcast(std::size_t capacity, bool loses_oldest) {
  return new BroadcastCore(capacity, loses_oldest);
}
void abandon_broadcast(BroadcastCore*& core) noexcept {
  require_alive(core).abandon();
  core = nullptr;
}

ChannelStatus broadcast_send(BroadcastCore& core, SharedValue& value, Deadline deadline) noexcept {
  return core.send(value, deadline);
}
ChannelStatus broadcast_try_send(BroadcastCore& core, SharedValue& value) noexcept {
  return core.try_send(value);
}
bool broadcast_close(BroadcastCore& core) noexcept { return core.close(); }
bool broadcast_closed(BroadcastCore& core) noexcept { return core.closed(); }
std::size_t broadcast_capacity(const BroadcastCore& core) noexcept { return core.capacity(); }
std::size_t broadcast_subscribers(BroadcastCore& core) noexcept { return core.subscribers(); }

BroadcastSubscription::BroadcastSubscription(BroadcastCore& core) noexcept : core_(&core) {
  core.subscribe(*this);
}

void BroadcastSubscription::take_over(BroadcastSubscription& other) noexcept {
  if (other.core_ != nullptr) other.core_->require_unused(other);
  core_ = std::exchange(other.core_, nullptr);
  next_ = other.next_;
  lost_ = other.lost_;
}

BroadcastSubscription::BroadcastSubscription(BroadcastSubscription&& other) noexcept { take_over(other); }

BroadcastSubscription& BroadcastSubscription::operator=(BroadcastSubscription&& other) noexcept {
  if (this == &other) return *this;
  leave();
  take_over(other);
  return *this;
}

void BroadcastSubscription::leave() noexcept {
  if (BroadcastCore* const core = std::exchange(core_, nullptr)) core->unsubscribe(*this);
}

BroadcastCore& BroadcastSubscription::core() const noexcept {
  WEFT_ASSERT(core_ != nullptr, "a broadcast subscriber is used after it was moved from or ended");
  return *core_;
}

ChannelStatus BroadcastSubscription::receive(SharedValue& value, Deadline deadline) noexcept {
  return core().receive(*this, value, deadline);
}
ChannelStatus BroadcastSubscription::try_receive(SharedValue& value) noexcept {
  return core().try_receive(*this, value);
}
std::uint64_t BroadcastSubscription::lost() const noexcept { return core().lost(*this); }
std::size_t BroadcastSubscription::size() const noexcept { return core().size(*this); }

}  // namespace detail
}  // namespace weft
