// SPDX-License-Identifier: Apache-2.0
#pragma once

// What WatchChannel<T>, its receivers and its branch of a select share: the untyped channel. Internal: this
// header may change at any time.

#include <weft/deadline.hpp>
#include <weft/detail/channel_core.hpp>
#include <weft/detail/select_branch.hpp>
#include <weft/detail/shared_value.hpp>

#include <cstddef>
#include <cstdint>

namespace weft {

class WatchCore;  // src/sync/watch/watch_core.hpp

namespace detail {

/// Throws std::bad_alloc.
WatchCore* create_watch(SharedValue&& initial);
/// Closes it. It lives as long as it has receivers.
void abandon_watch(WatchCore*& core) noexcept;

/// Exchanges `value` and the current value. False if it is closed.
bool watch_send(WatchCore& core, SharedValue& value) noexcept;
/// The same if the current version is `expected`, which is then the current one.
ChannelStatus watch_replace(WatchCore& core, SharedValue& value, std::uint64_t& expected) noexcept;
SharedValue watch_get(WatchCore& core, std::uint64_t& version) noexcept;
bool watch_close(WatchCore& core) noexcept;
bool watch_closed(WatchCore& core) noexcept;

/// The versions that a receiver has seen. The core's lock guards everything except the pointer.
class WatchPlace {
 public:
  /// The current version counts as seen.
  explicit WatchPlace(WatchCore& core) noexcept;
  /// Leaves `other` empty. BUG if a fiber or thread waits on it.
  WatchPlace(WatchPlace&& other) noexcept;
  WatchPlace& operator=(WatchPlace&& other) noexcept;
  /// BUG if a fiber or thread waits on it.
  ~WatchPlace() { leave(); }

  /// `value`, which is null before, is set if the status is kDone; then its version counts as seen.
  ChannelStatus changed(SharedValue& value, Deadline deadline) noexcept;
  ChannelStatus try_changed(SharedValue& value) noexcept;
  SharedValue get() const noexcept;
  bool has_changed() const noexcept;
  bool closed() const noexcept;
  void leave() noexcept;

  /// BUG if it is empty.
  WatchCore& core() const noexcept;

 private:
  friend class weft::WatchCore;
  void take_over(WatchPlace& other) noexcept;

  WatchCore* core_ = nullptr;
  std::uint64_t seen_ = 0;     ///< the newest version that it has seen
  std::uint32_t waiting_ = 0;  ///< calls that wait on it
};

/// The branch that waits for a version that the receiver has not seen.
class ChangedBranch : public SelectBranch {
 public:
  explicit ChangedBranch(WatchPlace& place) noexcept : core_(place.core()), place_(place) {}

  SpinLock* lock() noexcept final;
  bool poll_locked() noexcept final;
  void add_locked(Waiter& self, const WaitTicket& ticket) noexcept final;
  void remove_locked() noexcept final;
  void describe(WaitDescription& description) const noexcept final;

 protected:
  ~ChangedBranch() = default;

  SharedValue value_;
  ChannelStatus status_ = ChannelStatus::kWouldBlock;

 private:
  WatchCore& core_;
  WatchPlace& place_;
};

}  // namespace detail
}  // namespace weft
