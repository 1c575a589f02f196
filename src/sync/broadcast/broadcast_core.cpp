// SPDX-License-Identifier: Apache-2.0
// The steps of a broadcast channel, its subscriptions and its end. Its calls are in broadcast_calls.cpp.
#include "sync/broadcast/broadcast_core.hpp"

#include "base/panic.hpp"

#include <algorithm>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace weft {

using detail::BroadcastSubscription;
using detail::SharedValue;

namespace {

/// What one section of a subscription that leaves takes out of the ring: few, as they stand in a frame.
constexpr std::size_t kSkippedMax = 32;

std::size_t checked_capacity(std::size_t capacity) {
  if (capacity == 0) throw std::invalid_argument("weft: the capacity of a broadcast channel is 1 or more");
  if (capacity > BroadcastCore::kCapacityMax)
    throw std::length_error("weft: a broadcast channel's capacity is at most 2^31");
  return capacity;
}

[[maybe_unused]] const bool broadcast_send_described = set_wait_describer(
    WaitKind::kBroadcastSend, [](const void* object, WaitDescription& description) noexcept {
      description.add("room in broadcast channel ");
      description.add_address(object);
    });
[[maybe_unused]] const bool broadcast_receive_described = set_wait_describer(
    WaitKind::kBroadcastReceive, [](const void* object, WaitDescription& description) noexcept {
      description.add("a value from broadcast channel ");
      description.add_address(object);
    });

}  // namespace

BroadcastCore::BroadcastCore(std::size_t capacity, bool loses_oldest)
    : loses_oldest_(loses_oldest), capacity_(checked_capacity(capacity)), slots_(new Slot[capacity]) {}

BroadcastCore::~BroadcastCore() = default;

// Release: what was done with the core; acquire: by the last one, which destroys it.
void BroadcastCore::release() noexcept {
  if (references_.fetch_sub(1, acq_rel) == 1) delete this;
}

/// To nobody, if there is no subscription: the value stays with its sender.
void BroadcastCore::publish_locked(SharedValue& value, BroadcastAftermath& after) noexcept {
  if (subscribers_ == 0) return;
  if (tail_ - head_ == capacity_) after.dropped = std::move(slot(head_++).value);
  Slot& last = slot(tail_++);
  last.value = std::move(value);
  last.left = subscribers_;
}

ChannelStatus BroadcastCore::send_locked(SharedValue& value, BroadcastAftermath& after) noexcept {
  if (closed_) return ChannelStatus::kClosed;
  if (full_locked()) return ChannelStatus::kWouldBlock;
  publish_locked(value, after);
  return ChannelStatus::kDone;
}

ChannelStatus BroadcastCore::receive_locked(BroadcastSubscription& place, SharedValue& value) noexcept {
  if (place.next_ < head_) {
    place.lost_ += head_ - place.next_;
    place.next_ = head_;
    return ChannelStatus::kLagged;
  }
  if (place.next_ == tail_) return closed_ ? ChannelStatus::kClosed : ChannelStatus::kWouldBlock;
  Slot& next = slot(place.next_++);
  if (--next.left != 0) {
    value = next.value;
  } else {
    value = std::move(next.value);
  }
  return ChannelStatus::kDone;
}

/// True: there is more to give up. One that leaves late may free all that the others have received.
bool BroadcastCore::advance_head_locked(BroadcastAftermath& after) noexcept {
  for (; head_ != tail_ && slot(head_).left == 0; ++head_, --after.left) {
    if (after.left == 0) return true;
  }
  return false;
}

/// True: there are more of them.
bool BroadcastCore::serve_senders_locked(BroadcastAftermath& after) noexcept {
  for (; !senders_.empty() && (closed_ || !full_locked()); --after.left) {
    if (after.left == 0) return true;
    ChannelNode* const sender = win_first(senders_);
    if (sender == nullptr) return false;
    if (!closed_) {
      publish_locked(*static_cast<SharedValue*>(sender->element), after);
      sender->transferred = true;
    }
    after.senders.push_back(*sender);
  }
  return false;
}

void BroadcastCore::settle_locked(BroadcastAftermath& after) noexcept {
  after.more = advance_head_locked(after);
  if (serve_senders_locked(after)) after.more = true;
  const std::uint64_t seen_by_none = closed_ ? std::numeric_limits<std::uint64_t>::max() : tail_;
  if (win_before(seen_by_none, receivers_, after.receivers, after.left)) after.more = true;
  if (after.more && !after.referenced) {
    references_.fetch_add(1, relaxed);  // the caller is inside a call: there is another one
    after.referenced = true;
  }
}

void BroadcastCore::finish(BroadcastCore& core, BroadcastAftermath& after) noexcept {
  for (;;) {
    const bool more = after.more;
    wake_all(after.senders);
    wake_all(after.receivers);
    if (!more) break;
    after.left = kPortion;
    const std::scoped_lock lock(core.lock_);
    core.settle_locked(after);
  }
  after.dropped.reset();
  if (after.referenced) core.release();
}

void BroadcastCore::add_receiver_locked(BroadcastSubscription& place, PositionNode& node) noexcept {
  node.position = place.next_;
  ++place.waiting_;
  receivers_.push_back(node);
}

void BroadcastCore::remove_receiver_locked(BroadcastSubscription& place, PositionNode& node) noexcept {
  --place.waiting_;
  if (node.linked()) receivers_.remove(node);
}

bool BroadcastCore::close() noexcept {
  BroadcastAftermath after;
  {
    const std::scoped_lock lock(lock_);
    if (closed_) return false;
    closed_ = true;
    settle_locked(after);
  }
  finish(*this, after);
  return true;
}

void BroadcastCore::abandon() noexcept {
  {
    const std::scoped_lock lock(lock_);
    if (!senders_.empty()) [[unlikely]]
      WEFT_PANIC("a broadcast channel is destroyed while somebody waits to send", WEFT_VALUE(this));
  }
  close();
  release();
}

void BroadcastCore::subscribe(BroadcastSubscription& place) noexcept {
  const std::scoped_lock lock(lock_);
  references_.fetch_add(1, relaxed);
  ++subscribers_;
  place.next_ = tail_;
}

void BroadcastCore::require_unused(const BroadcastSubscription& place) noexcept {
  const std::scoped_lock lock(lock_);
  if (place.waiting_ != 0) [[unlikely]]
    WEFT_PANIC("a broadcast subscriber is destroyed or moved while somebody waits on it",
               WEFT_VALUE(place.waiting_));
}

/// A portion of the values before `end`. False: that was all.
bool BroadcastCore::skip_some(BroadcastSubscription& place, std::uint64_t end) noexcept {
  SharedValue skipped[kSkippedMax];
  std::size_t count = 0;
  BroadcastAftermath after;
  bool more = false;
  {
    const std::scoped_lock lock(lock_);
    place.next_ = std::max(place.next_, head_);
    while (count < kSkippedMax && place.next_ < end) receive_locked(place, skipped[count++]);
    more = place.next_ < end;
    settle_locked(after);
  }
  finish(*this, after);
  return more;
}

// It does not count for what is sent from now on, so the end is fixed.
void BroadcastCore::unsubscribe(BroadcastSubscription& place) noexcept {
  require_unused(place);
  std::uint64_t end = 0;
  {
    const std::scoped_lock lock(lock_);
    --subscribers_;
    end = tail_;
  }
  while (skip_some(place, end)) {}
  release();
}

bool BroadcastCore::closed() noexcept {
  const std::scoped_lock lock(lock_);
  return closed_;
}

std::size_t BroadcastCore::subscribers() noexcept {
  const std::scoped_lock lock(lock_);
  return subscribers_;
}

std::size_t BroadcastCore::size(const BroadcastSubscription& place) noexcept {
  const std::scoped_lock lock(lock_);
  return static_cast<std::size_t>(tail_ - std::max(place.next_, head_));
}

std::uint64_t BroadcastCore::lost(const BroadcastSubscription& place) noexcept {
  const std::scoped_lock lock(lock_);
  return place.lost_;
}

}  // namespace weft
