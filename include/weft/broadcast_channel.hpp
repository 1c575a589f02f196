// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/access.hpp>
#include <weft/detail/broadcast_core.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weft {

/// What happens when a subscriber has as many values to receive as the channel holds.
enum class SlowSubscriber : std::uint8_t {
  kSenderWaits,  ///< sends wait until the slowest subscriber has received a value: no value is lost
  kLosesOldest,  ///< sends never wait: the subscriber loses its oldest values and gets Errc::lagged
};

template <class T>
class BroadcastSubscriber;

/// Sends each value to all subscribers. A subscriber receives every value that is sent while it is
/// subscribed, in the order of the sends. Without subscribers a value is dropped.
///
/// Values: a value is stored once. All subscribers get a `std::shared_ptr<const T>` to the same object. The
/// fiber or thread that drops the last pointer destroys it. Several threads may read it at once. T need not
/// be copyable, movable or default constructible.
///
/// Slow subscribers: the channel holds `capacity` values for its slowest subscriber. SlowSubscriber says what
/// happens beyond that.
///
/// Closing: after close() sends fail with Errc::closed. Subscribers receive the values that they have not
/// received yet, then Errc::closed. Destroying the channel closes it; subscribers may outlive it. BUG if a
/// fiber or thread waits in send() then.
///
/// Cancellation and deadlines: a call that has to wait fails with Errc::cancelled if its fiber is or was
/// cancelled, and its `_until` form with Errc::timed_out at the deadline. A send that fails has sent its
/// value to no subscriber; a receive that fails has received nothing. A call that does not have to wait
/// succeeds even then, for a bounded number of times in a row.
///
/// Thread safety: any fiber or plain thread may call every method except the destructor. Allocations: one for
/// each value (std::make_shared), two for the channel, none for a subscriber or a receive. The time of a send
/// grows with the number of waiting subscribers only.
///
///     weft::BroadcastChannel<Event> events(64);
///     weft::TaskGroup<void> watchers;
///     watchers.spawn([events = events.subscribe()]() mutable {
///       for (const Event& event : events) show(event);          // until closed
///     });
///     events.send(Event("started")).value();
///     events.close();
///     watchers.wait().value();
template <class T>
class BroadcastChannel {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "a channel holds objects that are not const");

 public:
  using value_type = T;

  /// Throws std::invalid_argument if `capacity` is zero, std::length_error if it is above 2^31, and
  /// std::bad_alloc.
  explicit BroadcastChannel(std::size_t capacity, SlowSubscriber slow = SlowSubscriber::kSenderWaits)
      : core_(detail::create_broadcast(capacity, slow == SlowSubscriber::kLosesOldest)) {}
  ~BroadcastChannel() { detail::abandon_broadcast(core_); }
  BroadcastChannel(const BroadcastChannel&) = delete;
  BroadcastChannel& operator=(const BroadcastChannel&) = delete;

  /// Makes a subscriber for the values that are sent from now on. Does not suspend.
  [[nodiscard]] BroadcastSubscriber<T> subscribe() { return BroadcastSubscriber<T>(core()); }

  /// Sends `value`. It is moved or copied into shared storage first; if that throws, nothing was sent. The
  /// value is lost if the send fails; send_shared() keeps it. Suspends while a subscriber has `capacity()`
  /// values to receive, unless slow subscribers lose values. Errors: Errc::closed, Errc::cancelled.
  Result<void> send(T value) { return send_until(std::move(value), Deadline::never()); }
  /// The same with a deadline: Errc::timed_out. A send that does not have to wait does not read the clock.
  Result<void> send_until(T value, Deadline deadline) {
    return send_shared_until(std::make_shared<const T>(std::move(value)), deadline);
  }
  /// Sends if that does not have to wait; otherwise Errc::would_block. Does not suspend.
  Result<void> try_send(T value) { return try_send_shared(std::make_shared<const T>(std::move(value))); }

  /// The same with a value that is shared already, without an allocation. BUG if it is null.
  Result<void> send_shared(std::shared_ptr<const T> value) {
    return send_shared_until(std::move(value), Deadline::never());
  }
  Result<void> send_shared_until(std::shared_ptr<const T> value, Deadline deadline) {
    detail::SharedValue shared = detail::require_value(std::move(value));
    return detail::result_of_status(detail::broadcast_send(core(), shared, deadline));
  }
  Result<void> try_send_shared(std::shared_ptr<const T> value) {
    detail::SharedValue shared = detail::require_value(std::move(value));
    return detail::result_of_status(detail::broadcast_try_send(core(), shared));
  }

  /// Ends sending; waiting sends fail with Errc::closed. True for the call that closes the channel. Does not
  /// suspend.
  bool close() noexcept { return detail::broadcast_close(core()); }
  bool closed() const noexcept { return detail::broadcast_closed(core()); }
  std::size_t capacity() const noexcept { return detail::broadcast_capacity(core()); }
  /// The number of subscribers a moment ago.
  std::size_t subscribers() const noexcept { return detail::broadcast_subscribers(core()); }

 private:
  friend struct detail::Access;

  BroadcastCore& core() const noexcept { return detail::require_alive(core_); }

  BroadcastCore* core_;  // written by the destructor only
};

/// A subscription to a BroadcastChannel, from subscribe() to its destructor. It may outlive the channel.
///
/// Thread safety: any fiber or plain thread may call every method. Several fibers may receive from one
/// subscriber: each value goes to one of them. Moving and destroying require exclusive access: BUG if a fiber
/// waits in receive(). A subscriber that was moved from or unsubscribed may be destroyed and assigned to;
/// every other use is a BUG.
template <class T>
class BroadcastSubscriber {
 public:
  using value_type = T;

  /// Returns the next value. Suspends while there is none. Errors: Errc::closed (and all values received),
  /// Errc::cancelled. Errc::lagged: this subscriber was too slow and has lost values; lost() returns their
  /// number. The next call returns the oldest value that is left.
  Result<std::shared_ptr<const T>> receive() { return receive_until(Deadline::never()); }
  /// The same with a deadline: Errc::timed_out. A receive that does not have to wait does not read the clock.
  Result<std::shared_ptr<const T>> receive_until(Deadline deadline) {
    detail::SharedValue value;
    const detail::ChannelStatus status = subscription_.receive(value, deadline);
    return detail::shared_result<T>(status, std::move(value));
  }
  /// Returns the next value if there is one; otherwise Errc::would_block, Errc::closed or Errc::lagged. Does
  /// not suspend.
  Result<std::shared_ptr<const T>> try_receive() {
    detail::SharedValue value;
    const detail::ChannelStatus status = subscription_.try_receive(value);
    return detail::shared_result<T>(status, std::move(value));
  }

  /// The number of values that this subscriber has lost so far. Values whose loss the next receive will
  /// report are not counted yet.
  std::uint64_t lost() const noexcept { return subscription_.lost(); }
  /// The number of values that can be received now.
  std::size_t size() const noexcept { return subscription_.size(); }

  /// Ends the subscription before the destructor does. Values that were not received are dropped; a sender
  /// that waits for this subscriber proceeds. Does not suspend.
  void unsubscribe() noexcept { subscription_.leave(); }
  /// True if it was moved from or unsubscribed.
  bool unsubscribed() const noexcept { return subscription_.empty(); }

  /// Receives values until the channel is closed and all values are received, or the fiber is cancelled. It
  /// skips lost values; lost() counts them.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    const T& operator*() const noexcept { return *value_; }
    const T* operator->() const noexcept { return value_.get(); }
    Iterator& operator++() {
      value_.reset();
      Result<std::shared_ptr<const T>> next = subscriber_->receive();
      while (!next && next.error() == Errc::lagged) next = subscriber_->receive();
      if (next) value_ = *std::move(next);
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) noexcept {
      return iterator.value_ == nullptr;
    }

   private:
    friend class BroadcastSubscriber;
    explicit Iterator(BroadcastSubscriber& subscriber) : subscriber_(&subscriber) { ++*this; }
    BroadcastSubscriber* subscriber_;
    std::shared_ptr<const T> value_;
  };

  /// For range-for. Each step receives a value, and so may suspend.
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend struct detail::Access;

  detail::BroadcastSubscription& subscription() noexcept { return subscription_; }

  friend class BroadcastChannel<T>;
  explicit BroadcastSubscriber(BroadcastCore& core) noexcept : subscription_(core) {}

  detail::BroadcastSubscription subscription_;
};

namespace detail {

template <class T, class F>
class BroadcastReceiveInto final : public BroadcastReceiveBranch {
 public:
  BroadcastReceiveInto(BroadcastSubscriber<T>& subscriber, F&& f)
      : BroadcastReceiveBranch(Access::subscription(subscriber)), f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept { plan.add(*this, place); }
  std::error_code run() {
    std::invoke(f_, shared_result<T>(status_, std::move(value_)));
    return {};
  }

 private:
  F f_;
};

template <class F>
class BroadcastSendFrom final : public BroadcastSendBranch {
 public:
  BroadcastSendFrom(BroadcastCore& core, SharedValue&& value, F&& f)
      : BroadcastSendBranch(core, std::move(value)), f_(std::forward<F>(f)) {}

  void plan(SelectPlan& plan, std::size_t place) noexcept { plan.add(*this, place); }
  std::error_code run() { return tell(f_, result_of_status(status())); }

 private:
  F f_;
};

}  // namespace detail

/// A branch of a select: receives from `subscriber` and calls `f` with the next value, Errc::closed or
/// Errc::lagged.
template <class T, class F>
[[nodiscard]] auto receive(BroadcastSubscriber<T>& subscriber, F&& f) {
  return detail::BroadcastReceiveInto<T, F>(subscriber, std::forward<F>(f));
}

/// A branch of a select: sends `value` to `channel`, then calls `f`. The value is moved or copied when the
/// branch is made, whether it is taken or not. If the channel is closed, the branch is ready: an `f` that
/// takes a Result<void> gets Errc::closed. An `f` without arguments is not called, and the select returns the
/// error.
template <class T, class F>
[[nodiscard]] auto send(BroadcastChannel<T>& channel, std::type_identity_t<T> value, F&& f) {
  return detail::BroadcastSendFrom<F>(detail::Access::core(channel),
                                      std::make_shared<const T>(std::move(value)), std::forward<F>(f));
}
/// The same with a value that is shared already. The caller keeps it if another branch is taken.
template <class T, class F>
[[nodiscard]] auto send_shared(BroadcastChannel<T>& channel,
                               std::shared_ptr<const std::type_identity_t<T>> value, F&& f) {
  return detail::BroadcastSendFrom<F>(detail::Access::core(channel), detail::require_value(std::move(value)),
                                      std::forward<F>(f));
}

}  // namespace weft
