// SPDX-License-Identifier: Apache-2.0
#pragma once

// The untyped channel: a ring of elements, the senders and the receivers that wait (docs/design/channel.md).
//
// Thread safety: any fiber or plain thread. Everything but what is fixed at construction is guarded by the
// lock, which is held for a few dozen instructions and the move of an element. After the unlock of a call's
// last section nothing of the channel is touched: its partner may have destroyed it.
//
// Invariants:
//   C1 a waiting receiver has nothing to receive: while one is queued and not won, the ring is empty and no
//      sender waits but in the same select.
//   C2 a waiting sender has no room: while one is queued and not won, the ring is full.
//   C3 who takes a step on the channel is running, not waiting: of the two sides of a hand-over only the
//      queued one has a wait to be won, so one try_win decides it.
//   C4 an element is in one place: with its sender until the wait or the step was won, then in the ring, or
//      on its way to a receiver that cannot return before it is there.
//   C5 closed: nobody waits, but those that close() has not come to yet.

#include "base/cache_line.hpp"
#include "base/spin_lock.hpp"
#include "fiber/waiter.hpp"
#include "sync/wait_queue.hpp"

#include <weft/deadline.hpp>
#include <weft/detail/channel_core.hpp>

#include <cstddef>
#include <cstdint>

namespace weft {

using detail::ChannelStatus;

/// The place of a sender or receiver among those who wait. The last three are guarded by the channel's lock
/// while the node is linked; then they are the winner's, until it wakes the waiter.
struct ChannelNode : WaitNode {
  void* element = nullptr;                ///< a sender's value, or a receiver's room for one
  WaitOutcome win = WaitOutcome::kReady;  ///< what the wait is won with; names the branch of a select
  bool transferred = false;               ///< the element was moved; false: the channel was closed
};

using ChannelWaiters = IntrusiveList<ChannelNode>;

/// What a step under the lock leaves to be done after it: a partner whose wait it has won.
struct Handover {
  ChannelNode* partner = nullptr;
  void* to = nullptr;  ///< null: the element has been moved already
  void* from = nullptr;
};

class alignas(kCacheLine) ChannelCore {
 public:
  static constexpr std::size_t kCapacityMax = std::size_t{1} << 31;

  /// Throws std::length_error, std::bad_alloc.
  static ChannelCore* create(const detail::ElementType& type, std::size_t capacity);
  /// REQUIRES: nobody waits.
  static void destroy(ChannelCore* core) noexcept;
  /// A closed channel that stands for those that were destroyed, in builds with WEFT_CHECK_LOCKS: to find it
  /// closed is a BUG.
  static ChannelCore& destroyed() noexcept;

  ChannelStatus send(void* value, Deadline deadline) noexcept;
  ChannelStatus try_send(void* value) noexcept;
  ChannelStatus receive(void* element, Deadline deadline) noexcept;
  ChannelStatus try_receive(void* element) noexcept;
  bool close() noexcept;

  bool closed() noexcept;
  std::size_t size() noexcept;
  std::size_t capacity() const noexcept { return capacity_; }
  const detail::ElementType& type() const noexcept { return type_; }

  // -- the steps of which calls and selects are made; with the lock -----------------------------------------
  SpinLock& lock() noexcept { return lock_; }
  /// kDone, and then `handover` is to be completed after the unlock; kClosed; or kWouldBlock.
  ChannelStatus send_locked(void* value, Handover& handover) noexcept;
  ChannelStatus receive_locked(void* element, Handover& handover) noexcept;
  /// Moves the element and wakes the partner, if there is one. Without the lock; the channel may be gone by
  /// then, which is why it is told the type.
  static void complete(const Handover& handover, const detail::ElementType& type) noexcept;
  /// After kWouldBlock, without an unlock in between. `node` is filled in, its wait begun.
  void add_sender_locked(ChannelNode& node) noexcept { senders_.push_back(node); }
  void add_receiver_locked(ChannelNode& node) noexcept { receivers_.push_back(node); }
  /// Takes the node off if nobody did before (P1).
  void remove_sender_locked(ChannelNode& node) noexcept;
  void remove_receiver_locked(ChannelNode& node) noexcept;

 private:
  ChannelCore(const detail::ElementType& type, std::uint32_t capacity) noexcept;
  ~ChannelCore();

  bool close_for_some() noexcept;
  bool close_goes_on() noexcept;
  static std::size_t alignment(const detail::ElementType& type) noexcept;
  /// The ring follows this object in its allocation.
  void* slot(std::uint32_t index) noexcept {
    return reinterpret_cast<std::byte*>(this + 1) + index * type_.size;
  }
  void* free_slot_locked() noexcept;
  void found_closed() const noexcept {
#if WEFT_CHECK_LOCKS
    if (this == &destroyed()) [[unlikely]]
      refuse_destroyed();
#endif
  }

  // Of elements that are moved by copying them, or by their type's functions (channel_calls.cpp).
  template <bool kPlain>
  void put_last_locked(void* value) noexcept;
  template <bool kPlain>
  void take_first_locked(void* element) noexcept;
  template <bool kPlain>
  ChannelStatus send_now(void* value, Deadline deadline) noexcept;
  template <bool kPlain>
  ChannelStatus receive_now(void* element, Deadline deadline) noexcept;
  template <bool kPlain>
  ChannelStatus send_to_receiver(void* value, Deadline deadline) noexcept;
  template <bool kPlain>
  ChannelStatus receive_from_sender(void* element, Deadline deadline) noexcept;

  ChannelStatus send_or_wait(void* value, Deadline deadline) noexcept;
  ChannelStatus receive_or_wait(void* element, Deadline deadline) noexcept;
  ChannelStatus send_by_functions(void* value, Deadline deadline) noexcept;
  ChannelStatus receive_by_functions(void* element, Deadline deadline) noexcept;
  ChannelStatus send_at_end_of_budget(void* value, Deadline deadline) noexcept;
  ChannelStatus receive_at_end_of_budget(void* element, Deadline deadline) noexcept;
  template <bool kSimply>
  ChannelStatus wait_as(Waiter& self, ChannelWaiters& waiters, WaitingFor what, void* element,
                        Deadline deadline) noexcept;
  ChannelStatus give_up(ChannelWaiters& waiters, ChannelNode& node, WaitOutcome outcome) noexcept;
  ChannelStatus wait_otherwise(ChannelWaiters& waiters, WaitKind kind, void* element,
                               Deadline deadline) noexcept;
  ChannelStatus wait_among(ChannelWaiters& waiters, WaitKind kind, void* element, Deadline deadline) noexcept;
  ChannelStatus wait_for_receiver(void* value, Deadline deadline) noexcept;
  ChannelStatus wait_for_sender(void* element, Deadline deadline) noexcept;

  SpinLock lock_;
  bool closed_ = false;
  bool closing_ = false;  // close() has waiters left to wake
  const std::uint32_t capacity_;
  std::uint32_t head_ = 0;   // the oldest element's slot
  std::uint32_t count_ = 0;  // elements in the ring, from head_ on
  const detail::ElementType& type_;
  ChannelWaiters receivers_;
  ChannelWaiters senders_;
};

static_assert(sizeof(ChannelCore) == kCacheLine, "a channel's state is one cache line");

}  // namespace weft
