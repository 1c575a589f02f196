// SPDX-License-Identifier: Apache-2.0
#pragma once

// The untyped watch channel: one shared value, its version, and those who wait for the next
// (docs/design/watch.md).
//
// Thread safety: any fiber or plain thread. Everything but the count of references is guarded by the lock.
// Under it no value is made, copied or destroyed, only pointers to them are moved.
//
// Invariants:
//   V1 the version grows by one with each value, and is above zero; the value is never null.
//   V2 no receiver has seen more than the version.
//   V3 while a receiver waits at position p and is not won, p is the version, and the channel is open; but
//      for those that a sender has not come to yet, after a portion: it goes on, and holds a reference.

#include "base/spin_lock.hpp"
#include "sync/position_waiters.hpp"

#include <weft/deadline.hpp>
#include <weft/detail/watch_core.hpp>

#include <cstddef>
#include <cstdint>

namespace weft {

using detail::ChannelStatus;

class WatchCore {
 public:
  explicit WatchCore(detail::SharedValue&& initial) noexcept : value_(std::move(initial)) {}

  bool send(detail::SharedValue& value) noexcept;
  /// kDone, kClosed, or kWouldBlock: the version is another one.
  ChannelStatus replace(detail::SharedValue& value, std::uint64_t& expected) noexcept;
  detail::SharedValue get(std::uint64_t& version) noexcept;
  ChannelStatus changed(detail::WatchPlace& place, detail::SharedValue& value, Deadline deadline) noexcept;
  ChannelStatus try_changed(detail::WatchPlace& place, detail::SharedValue& value) noexcept;
  bool has_changed(const detail::WatchPlace& place) noexcept;
  bool close() noexcept;
  bool closed() noexcept;

  void subscribe(detail::WatchPlace& place) noexcept;
  void unsubscribe(detail::WatchPlace& place) noexcept;
  /// BUG if somebody waits on it.
  void require_unused(const detail::WatchPlace& place) noexcept;
  /// By the owner of the channel, last.
  void abandon() noexcept;

  // -- the steps of which calls and selects are made; with the lock -----------------------------------------
  SpinLock& lock() noexcept { return lock_; }
  /// kDone, kClosed or kWouldBlock.
  ChannelStatus changed_locked(detail::WatchPlace& place, detail::SharedValue& value) noexcept;
  /// After kWouldBlock, without an unlock in between. `node` is filled in, its wait begun.
  void add_receiver_locked(detail::WatchPlace& place, PositionNode& node) noexcept;
  void remove_receiver_locked(detail::WatchPlace& place, PositionNode& node) noexcept;

 private:
  /// Receivers that were won, and whether there are more.
  struct Won {
    PositionWaiters receivers;
    bool more = false;
    bool referenced = false;
  };

  ~WatchCore() = default;

  void put_locked(detail::SharedValue& value, Won& won) noexcept;
  void win_locked(Won& won) noexcept;
  static void finish(WatchCore& core, Won& won) noexcept;
  void release() noexcept;

  Atomic<std::size_t> references_{1};  // the channel's, each receiver's, and those of V3
  SpinLock lock_;
  bool closed_ = false;
  std::uint64_t version_ = 1;
  detail::SharedValue value_;
  PositionWaiters receivers_;
};

}  // namespace weft
