// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
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

/// One current value, and receivers that are told when it has changed: a configuration, a state, a progress.
/// Each send replaces the value. A receiver sees the newest one; those that came and went while it was busy
/// it never sees.
///
/// Values are immutable and shared: get() and changed() return a `std::shared_ptr<const T>`, a snapshot that
/// stays what it is while newer values come, and keeps nobody from sending. So no lock is held while a value
/// is looked at. A value is destroyed by whoever drops the last pointer to it.
///
/// Any number of senders: sends are in one order, and the last one stays. update() is for values that are
/// made from the current one.
///
/// Closing: nothing more can be sent. A receiver is given what it has not seen yet, then Errc::closed; get()
/// still returns the last value. Destroying the channel closes it; receivers may live longer.
///
/// Thread safety: all methods but the destructor, any fiber or plain thread. Allocations: one for each value
/// (std::make_shared), one for the channel, none for a receiver or a wait. The design is that of
/// tokio::sync::watch, with snapshots in the place of its read lock.
///
///     weft::WatchChannel<Config> config(load());
///     auto worker = weft::spawn([config = config.subscribe()]() mutable {
///       while (auto changed = config.changed()) apply(**changed);   // until closed or cancelled
///     });
///     config.send(load()).value();
template <class T>
class WatchChannel {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "a watch channel is of objects");

 public:
  using value_type = T;

  /// Throws std::bad_alloc, and what moving `initial` throws.
  explicit WatchChannel(T initial)
      : core_(detail::create_watch(std::make_shared<const T>(std::move(initial)))) {}
  /// With a value that is shared already. BUG if it is null.
  explicit WatchChannel(std::shared_ptr<const T> initial)
      : core_(detail::create_watch(detail::require_value(std::move(initial)))) {}
  ~WatchChannel() { detail::abandon_watch(core_); }
  WatchChannel(const WatchChannel&) = delete;
  WatchChannel& operator=(const WatchChannel&) = delete;

  /// Receives what is sent from now on; the current value counts as seen. Does not suspend.
  [[nodiscard]] WatchReceiver<T> subscribe() { return WatchReceiver<T>(core()); }

  /// Replaces the value. Errc::closed. Does not suspend, with or without receivers.
  Result<void> send(T value) { return send_shared(std::make_shared<const T>(std::move(value))); }
  /// The same with a value that is shared already; no allocation. BUG if it is null.
  Result<void> send_shared(std::shared_ptr<const T> value) {
    detail::SharedValue shared = detail::require_value(std::move(value));
    if (!detail::watch_send(core(), shared)) return Errc::closed;
    return {};
  }
  /// Replaces the value by `f(current)`, so that no other send comes in between: if one does, `f` is called
  /// again, with its value. It is called without a lock, and may suspend and throw; then nothing is replaced.
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
  /// Nothing more can be sent. True for the call that closed it. Does not suspend.
  bool close() noexcept { return detail::watch_close(core()); }
  bool closed() const noexcept { return detail::watch_closed(core()); }

 private:
  WatchCore& core() const noexcept { return detail::require_alive(core_); }

  WatchCore* core_;  // written by the destructor only
};

/// A receiver of a WatchChannel, which it may outlive.
///
/// Several fibers may wait on one receiver: each change is given to one of them. Thread safety: all methods
/// but moving and destroying, which require exclusive access: BUG if somebody waits in changed(). A receiver
/// that was moved from may be destroyed and assigned to; anything else is a BUG.
template <class T>
class WatchReceiver {
 public:
  using value_type = T;

  /// The current value, as soon as it is one that this receiver was not given yet. Suspends until then.
  /// Errc::closed: there is none, and will be none. Errc::cancelled. A call that fails has seen nothing.
  Result<std::shared_ptr<const T>> changed() { return changed_until(Deadline::never()); }
  /// The same, given up at the deadline: Errc::timed_out. A call that need not wait looks at no clock.
  Result<std::shared_ptr<const T>> changed_until(Deadline deadline) {
    detail::SharedValue value;
    const detail::ChannelStatus status = place_.changed(value, deadline);
    return detail::shared_result<T>(status, std::move(value));
  }
  /// The same if there is a change now; else Errc::would_block, or Errc::closed. Does not suspend.
  Result<std::shared_ptr<const T>> try_changed() {
    detail::SharedValue value;
    const detail::ChannelStatus status = place_.try_changed(value);
    return detail::shared_result<T>(status, std::move(value));
  }

  /// The current value, seen before or not; it does not count as seen. Never null. Does not suspend.
  std::shared_ptr<const T> get() const noexcept { return detail::shared_as<T>(place_.get()); }
  /// Whether changed() would return a value at once.
  bool has_changed() const noexcept { return place_.has_changed(); }
  /// Whether the channel was closed or destroyed.
  bool closed() const noexcept { return place_.closed(); }

  /// The internals, for this library.
  detail::WatchPlace& place() noexcept { return place_; }

 private:
  friend class WatchChannel<T>;
  explicit WatchReceiver(WatchCore& core) noexcept : place_(core) {}

  detail::WatchPlace place_;
};

namespace detail {

template <class T, class F>
class ChangedInto final : public ChangedBranch {
 public:
  ChangedInto(WatchReceiver<T>& receiver, F&& f) : ChangedBranch(receiver.place()), f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept { plan.add(*this, place); }
  std::error_code run() {
    std::invoke(f_, shared_result<T>(status_, std::move(value_)));
    return {};
  }

 private:
  F f_;
};

}  // namespace detail

/// A branch of a select: what changed() of `receiver` returns without waiting is given to `f`: the value, or
/// Errc::closed.
template <class T, class F>
[[nodiscard]] auto changed(WatchReceiver<T>& receiver, F&& f) {
  return detail::ChangedInto<T, F>(receiver, std::forward<F>(f));
}

}  // namespace weft
