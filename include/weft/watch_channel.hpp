// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/access.hpp>
#include <weft/detail/watch_core.hpp>
#include <weft/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

template <class T>
class WatchReceiver;

/// One current value, and receivers that can wait until it has changed: for a configuration, a state, a
/// progress. Each send replaces the value. A receiver gets the newest value; it never sees the values that
/// were replaced while it was busy.
///
/// Values: a value is immutable and shared. get() and changed() return a `std::shared_ptr<const T>`, a
/// snapshot that does not change when newer values are sent. No lock is held while a value is read. The fiber
/// or thread that drops the last pointer destroys the value.
///
/// Senders: there may be several. Their sends are in one order, and the last value stays. update() makes a
/// value from the current one.
///
/// Closing: after close() sends fail with Errc::closed. A receiver gets a value that it has not seen yet,
/// then Errc::closed. get() still returns the last value. Destroying the channel closes it; receivers may
/// outlive it.
///
/// Thread safety: any fiber or plain thread may call every method except the destructor. Allocations: one for
/// each value (std::make_shared), one for the channel, none for a receiver or a wait. The design is that of
/// tokio::sync::watch, with snapshots instead of its read lock.
///
///     weft::WatchChannel<Config> config(load());
///     auto worker = weft::spawn([config = config.subscribe()]() mutable {
///       while (auto changed = config.changed()) apply(**changed);   // until closed or cancelled
///     });
///     config.send(load()).value();
template <class T>
class WatchChannel {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>,
                "a watch channel holds objects that are not const");

 public:
  using value_type = T;

  /// Throws std::bad_alloc, and any exception of moving `initial`.
  explicit WatchChannel(T initial)
      : core_(detail::create_watch(std::make_shared<const T>(std::move(initial)))) {}
  /// With a value that is shared already. BUG if it is null.
  explicit WatchChannel(std::shared_ptr<const T> initial)
      : core_(detail::create_watch(detail::require_value(std::move(initial)))) {}
  ~WatchChannel() { detail::abandon_watch(core_); }
  WatchChannel(const WatchChannel&) = delete;
  WatchChannel& operator=(const WatchChannel&) = delete;

  /// Makes a receiver. The current value counts as seen by it. Does not suspend.
  [[nodiscard]] WatchReceiver<T> subscribe() { return WatchReceiver<T>(core()); }

  /// Replaces the value. Errc::closed. Does not suspend, with or without receivers.
  Result<void> send(T value) { return send_shared(std::make_shared<const T>(std::move(value))); }
  /// The same with a value that is shared already, without an allocation. BUG if it is null.
  Result<void> send_shared(std::shared_ptr<const T> value) {
    detail::SharedValue shared = detail::require_value(std::move(value));
    if (!detail::watch_send(core(), shared)) return Errc::closed;
    return {};
  }
  /// Replaces the value by `f(current)`. If another send comes in between, `f` is called again with the newer
  /// value. `f` is called without a lock, and may suspend. If it throws, the value is not replaced. Errors:
  /// Errc::closed.
  template <class F>
  Result<void> update(F&& f) {
    std::uint64_t version = 0;
    for (;;) {
      const std::shared_ptr<const T> current = detail::shared_as<T>(detail::watch_get(core(), version));
      detail::SharedValue next = std::make_shared<const T>(std::invoke(f, *current));
      const detail::ChannelStatus status = detail::watch_replace(core(), next, version);
      if (status != detail::ChannelStatus::kWouldBlock) return detail::result_of_status(status);
    }
  }

  /// The current value. Never null. Does not suspend.
  std::shared_ptr<const T> get() const noexcept {
    std::uint64_t version = 0;
    return detail::shared_as<T>(detail::watch_get(core(), version));
  }
  /// Ends sending. True for the call that closes the channel. Does not suspend.
  bool close() noexcept { return detail::watch_close(core()); }
  bool closed() const noexcept { return detail::watch_closed(core()); }

 private:
  WatchCore& core() const noexcept { return detail::require_alive(core_); }

  WatchCore* core_;  // written by the destructor only
};

/// A receiver of a WatchChannel. It may outlive the channel.
///
/// Thread safety: any fiber or plain thread may call every method. Several fibers may wait on one receiver:
/// each change goes to one of them. Moving and destroying require exclusive access: BUG if a fiber waits in
/// changed(). A receiver that was moved from may be destroyed and assigned to; every other use is a BUG.
template <class T>
class WatchReceiver {
 public:
  using value_type = T;

  /// Returns the current value if this receiver has not seen it yet; otherwise suspends until there is a
  /// newer one. Errors: Errc::closed (and the last value seen), Errc::cancelled. A call that fails has seen
  /// nothing.
  Result<std::shared_ptr<const T>> changed() { return changed_until(Deadline::never()); }
  /// The same with a deadline: Errc::timed_out. A call that does not have to wait does not read the clock.
  Result<std::shared_ptr<const T>> changed_until(Deadline deadline) {
    detail::SharedValue value;
    const detail::ChannelStatus status = place_.changed(value, deadline);
    return detail::shared_result<T>(status, std::move(value));
  }
  /// The same if there is a change now; otherwise Errc::would_block or Errc::closed. Does not suspend.
  Result<std::shared_ptr<const T>> try_changed() {
    detail::SharedValue value;
    const detail::ChannelStatus status = place_.try_changed(value);
    return detail::shared_result<T>(status, std::move(value));
  }

  /// The current value. It does not count as seen by this call. Never null. Does not suspend.
  std::shared_ptr<const T> get() const noexcept { return detail::shared_as<T>(place_.get()); }
  /// Whether changed() would return a value at once.
  bool has_changed() const noexcept { return place_.has_changed(); }
  /// Whether the channel was closed or destroyed.
  bool closed() const noexcept { return place_.closed(); }

 private:
  friend struct detail::Access;

  detail::WatchPlace& place() noexcept { return place_; }

  friend class WatchChannel<T>;
  explicit WatchReceiver(WatchCore& core) noexcept : place_(core) {}

  detail::WatchPlace place_;
};

namespace detail {

template <class T, class F>
class ChangedInto final : public ChangedBranch {
 public:
  ChangedInto(WatchReceiver<T>& receiver, F&& f)
      : ChangedBranch(Access::place(receiver)), f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept { plan.add(*this, place); }
  std::error_code run() {
    std::invoke(f_, shared_result<T>(status_, std::move(value_)));
    return {};
  }

 private:
  F f_;
};

}  // namespace detail

/// A branch of a select: ready when `receiver` has a change. Calls `f` with the value, or with Errc::closed.
template <class T, class F>
[[nodiscard]] auto changed(WatchReceiver<T>& receiver, F&& f) {
  return detail::ChangedInto<T, F>(receiver, std::forward<F>(f));
}

}  // namespace weft
