// SPDX-License-Identifier: Apache-2.0
#pragma once

// The untyped broadcast channel: a ring of shared values, how many subscriptions have still to receive each,
// and those who wait (docs/design/broadcast.md).
//
// Thread safety: any fiber or plain thread. Everything but what is fixed at construction, and the count of
// references, is guarded by the lock. Under it no value is made, copied or destroyed, only pointers to them
// are moved; a value's destructor runs after the unlock.
//
// Invariants:
//   BC1 the slots from head to tail are in use, at most `capacity`; what was before head is gone.
//   BC2 a slot's `left` is the number of subscriptions that have still to receive it, also those that are on
//      their way out. At zero it has no value; the slot at head is above zero.
//   BC3 while a receiver waits at position p and is not won, p is the tail, and the channel is open.
//   BC4 while a sender waits and is not won, the ring is full, nothing is lost in this channel, and there are
//      subscriptions.
//   BC5 BC2 to BC4 are broken within a section only, and where settle_locked() stopped after a portion: then
//      its caller goes on, and holds a reference.

#include "base/spin_lock.hpp"
#include "sync/channel_core.hpp"
#include "sync/channel_waiters.hpp"
#include "sync/position_waiters.hpp"

#include <weft/deadline.hpp>
#include <weft/detail/broadcast_core.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace weft {

/// What a step under the lock leaves to be done after it.
struct BroadcastAftermath {
  ChannelWaiters senders;     ///< won: their values were sent, or the channel was closed
  PositionWaiters receivers;  ///< won: they look again
  detail::SharedValue dropped;
  std::uint32_t left = kPortion;
  bool more = false;        ///< settle_locked() must be called again
  bool referenced = false;  ///< it holds a reference of the channel
};
static_assert(sizeof(BroadcastAftermath) <= detail::kAftermathSize);

class BroadcastCore {
 public:
  static constexpr std::size_t kCapacityMax = std::size_t{1} << 31;

  BroadcastCore(std::size_t capacity, bool loses_oldest);

  ChannelStatus send(detail::SharedValue& value, Deadline deadline) noexcept;
  ChannelStatus try_send(detail::SharedValue& value) noexcept;
  ChannelStatus receive(detail::BroadcastSubscription& place, detail::SharedValue& value,
                        Deadline deadline) noexcept;
  ChannelStatus try_receive(detail::BroadcastSubscription& place, detail::SharedValue& value) noexcept;
  bool close() noexcept;

  void subscribe(detail::BroadcastSubscription& place) noexcept;
  /// What the place has not received counts as received by it.
  void unsubscribe(detail::BroadcastSubscription& place) noexcept;
  /// BUG if somebody waits on it.
  void require_unused(const detail::BroadcastSubscription& place) noexcept;
  /// By the owner of the channel, last.
  void abandon() noexcept;

  bool closed() noexcept;
  std::size_t subscribers() noexcept;
  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t size(const detail::BroadcastSubscription& place) noexcept;
  std::uint64_t lost(const detail::BroadcastSubscription& place) noexcept;

  // -- the steps of which calls and selects are made; with the lock -----------------------------------------
  SpinLock& lock() noexcept { return lock_; }
  /// kDone, kClosed or kWouldBlock; unless it is the last, settle_locked() follows.
  ChannelStatus send_locked(detail::SharedValue& value, BroadcastAftermath& after) noexcept;
  /// kDone, kLagged, kClosed or kWouldBlock; as above.
  ChannelStatus receive_locked(detail::BroadcastSubscription& place, detail::SharedValue& value) noexcept;
  /// Gives up what nobody needs any more, and serves those who wait: a portion of them.
  void settle_locked(BroadcastAftermath& after) noexcept;
  /// Wakes those that were served, and goes on until all are. Without the lock; the channel may be gone.
  static void finish(BroadcastCore& core, BroadcastAftermath& after) noexcept;

  /// After kWouldBlock, without an unlock in between. `node` is filled in, its wait begun.
  void add_sender_locked(ChannelNode& node) noexcept { senders_.push_back(node); }
  void remove_sender_locked(ChannelNode& node) noexcept { remove_if_linked(senders_, node); }
  void add_receiver_locked(detail::BroadcastSubscription& place, PositionNode& node) noexcept;
  void remove_receiver_locked(detail::BroadcastSubscription& place, PositionNode& node) noexcept;

 private:
  struct Slot {
    detail::SharedValue value;
    std::size_t left = 0;
  };

  ~BroadcastCore();

  Slot& slot(std::uint64_t number) noexcept { return slots_[number % capacity_]; }
  bool full_locked() const noexcept {
    return !loses_oldest_ && subscribers_ != 0 && tail_ - head_ == capacity_;
  }
  void publish_locked(detail::SharedValue& value, BroadcastAftermath& after) noexcept;
  bool advance_head_locked(BroadcastAftermath& after) noexcept;
  bool serve_senders_locked(BroadcastAftermath& after) noexcept;
  bool skip_some(detail::BroadcastSubscription& place, std::uint64_t end) noexcept;
  void release() noexcept;

  Atomic<std::size_t> references_{1};  // the channel's, each subscription's, and those of BC5
  SpinLock lock_;
  const bool loses_oldest_;
  bool closed_ = false;
  const std::size_t capacity_;
  std::size_t subscribers_ = 0;
  std::uint64_t head_ = 0;  // the number of the oldest value in the ring
  std::uint64_t tail_ = 0;  // of the next one that is sent
  const std::unique_ptr<Slot[]> slots_;
  PositionWaiters receivers_;
  ChannelWaiters senders_;
};

}  // namespace weft
