// SPDX-License-Identifier: Apache-2.0
#pragma once

// What BroadcastChannel<T>, its subscribers and its branches of a select share: the untyped channel.
// Internal: this header may change at any time.

#include <weft/deadline.hpp>
#include <weft/detail/channel_core.hpp>
#include <weft/detail/select_branch.hpp>
#include <weft/detail/shared_value.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace weft {

class BroadcastCore;  // src/sync/broadcast/broadcast_core.hpp

namespace detail {

/// Throws std::invalid_argument, std::length_error, std::bad_alloc.
BroadcastCore* create_broadcast(std::size_t capacity, bool loses_oldest);
/// Closes it. It lives as long as it has subscriptions.
void abandon_broadcast(BroadcastCore*& core) noexcept;

/// `value` is moved from if the status is kDone and there was a subscriber.
ChannelStatus broadcast_send(BroadcastCore& core, SharedValue& value, Deadline deadline) noexcept;
ChannelStatus broadcast_try_send(BroadcastCore& core, SharedValue& value) noexcept;
bool broadcast_close(BroadcastCore& core) noexcept;
bool broadcast_closed(BroadcastCore& core) noexcept;
std::size_t broadcast_capacity(const BroadcastCore& core) noexcept;
std::size_t broadcast_subscribers(BroadcastCore& core) noexcept;

/// A place in a broadcast: the next value to receive. The core's lock guards everything except the pointer.
class BroadcastSubscription {
 public:
  explicit BroadcastSubscription(BroadcastCore& core) noexcept;
  /// Leaves `other` empty. BUG if a fiber or thread waits on it.
  BroadcastSubscription(BroadcastSubscription&& other) noexcept;
  BroadcastSubscription& operator=(BroadcastSubscription&& other) noexcept;
  /// What it has not received counts as received by it. BUG if a fiber or thread waits on it.
  ~BroadcastSubscription() { leave(); }

  /// `value`, which is null before, is set if the status is kDone.
  ChannelStatus receive(SharedValue& value, Deadline deadline) noexcept;
  ChannelStatus try_receive(SharedValue& value) noexcept;
  std::uint64_t lost() const noexcept;
  std::size_t size() const noexcept;
  void leave() noexcept;
  bool empty() const noexcept { return core_ == nullptr; }

  /// BUG if it is empty.
  BroadcastCore& core() const noexcept;

 private:
  friend class weft::BroadcastCore;
  void take_over(BroadcastSubscription& other) noexcept;

  BroadcastCore* core_ = nullptr;
  std::uint64_t next_ = 0;     ///< the number of the value that it receives next
  std::uint64_t lost_ = 0;     ///< values it was too slow for
  std::uint32_t waiting_ = 0;  ///< calls that wait on it
};

/// Storage for the work that a step leaves for after the unlock.
inline constexpr std::size_t kAftermathSize = 64;

/// The branch of a receive. A sender wins the select's wait with kReady, and the select polls again.
class BroadcastReceiveBranch : public SelectBranch {
 public:
  explicit BroadcastReceiveBranch(BroadcastSubscription& subscription) noexcept
      : core_(subscription.core()), subscription_(subscription) {}

  SpinLock* lock() noexcept final;
  bool poll_locked() noexcept final;
  void finish_poll() noexcept final;
  void add_locked(Waiter& self, const WaitTicket& ticket) noexcept final;
  void remove_locked() noexcept final;
  void describe(WaitDescription& description) const noexcept final;

 protected:
  ~BroadcastReceiveBranch() = default;

  SharedValue value_;
  ChannelStatus status_ = ChannelStatus::kWouldBlock;

 private:
  BroadcastCore& core_;
  BroadcastSubscription& subscription_;
  alignas(void*) std::byte aftermath_[kAftermathSize];  ///< from a successful poll to its end
};

/// The branch of a send.
class BroadcastSendBranch : public SelectBranch {
 public:
  BroadcastSendBranch(BroadcastCore& core, SharedValue&& value) noexcept
      : value_(std::move(value)), core_(core) {}

  SpinLock* lock() noexcept final;
  bool poll_locked() noexcept final;
  void finish_poll() noexcept final;
  void add_locked(Waiter& self, const WaitTicket& ticket) noexcept final;
  void remove_locked() noexcept final;
  void describe(WaitDescription& description) const noexcept final;

  /// The status of the taken branch: kDone or kClosed.
  ChannelStatus status() const noexcept;

 protected:
  ~BroadcastSendBranch() = default;

 private:
  SharedValue value_;
  BroadcastCore& core_;
  ChannelStatus polled_ = ChannelStatus::kWouldBlock;
  alignas(void*) std::byte aftermath_[kAftermathSize];
};

}  // namespace detail
}  // namespace weft
