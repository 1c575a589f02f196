// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
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

/// What happens when a subscriber has not received as many values as the channel holds.
enum class SlowSubscriber : std::uint8_t {
  kSenderWaits,  ///< sends wait until the slowest has received one: nobody loses anything
  kLosesOldest,  ///< sends never wait: the subscriber loses its oldest values, and is told
};

template <class T>
class BroadcastSubscriber;

/// Sends each value to all who have subscribed: every subscriber receives every value that is sent while it
/// is subscribed, in the order of the sends. Without a subscriber a value goes to nobody.
///
/// A value is stored once, whatever the number of subscribers: they get a `std::shared_ptr<const T>` to the
/// same object, which lives until the last of them drops it. It is destroyed by whoever does, and may be read
/// by several threads at once. T need not be copyable, movable or default constructible.
///
/// The channel holds `capacity` values for its slowest subscriber. What comes then is the choice of a
/// SlowSubscriber.
///
/// Closing: nothing more can be sent. Subscribers receive what they have not received yet, then Errc::closed.
/// Destroying the channel closes it; subscribers may live longer. BUG if somebody waits in send() then.
///
/// Cancellation and deadlines: a call that has to wait ends with Errc::cancelled or Errc::timed_out as all
/// calls do. A send that fails has sent nothing to anybody; a receive that fails has received nothing.
/// A call that need not wait succeeds also then, for a bounded number of times in a row.
///
/// Thread safety: all methods but the destructor, any fiber or plain thread. Allocations: one for each value
/// (std::make_shared), two for the channel, none for a subscriber or a receive. A send takes time for each
/// subscriber that waits, and none for the others.
///
///     weft::BroadcastChannel<Event> events(64);
///     weft::TaskGroup<void> watchers;
///     watchers.spawn([events = events.subscribe()]() mutable { for (const Event& event : events)
///     show(event); }); events.send(Event("started")).value(); events.close(); watchers.wait().value();
template <class T>
class BroadcastChannel {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "a channel is of objects");

 public:
  using value_type = T;

  /// Throws std::invalid_argument for a capacity of zero, std::length_error above 2^31, std::bad_alloc.
  explicit BroadcastChannel(std::size_t capacity, SlowSubscriber slow = SlowSubscriber::kSenderWaits)
      : core_(detail::create_broadcast(capacity, slow == SlowSubscriber::kLosesOldest)) {}
  ~BroadcastChannel() { detail::abandon_broadcast(core_); }
  BroadcastChannel(const BroadcastChannel&) = delete;
  BroadcastChannel& operator=(const BroadcastChannel&) = delete;

  /// Receives what is sent from now on. After close(): nothing. Does not suspend.
  [[nodiscard]] BroadcastSubscriber<T> subscribe() { return BroadcastSubscriber<T>(core()); }

  /// Sends `value`, which is moved or copied into its place first; if that throws, nothing was sent. It is
  /// gone also if the send fails: use send_shared() for what must not be. Suspends while a subscriber has
  /// `capacity()` values to receive, unless it loses them. Errc::closed, Errc::cancelled.
  Result<void> send(T value) { return send_until(std::move(value), Deadline::never()); }
  /// The same, given up at the deadline: Errc::timed_out. A send that need not wait looks at no clock.
  Result<void> send_until(T value, Deadline deadline) {
    return send_shared_until(std::make_shared<const T>(std::move(value)), deadline);
  }
  /// Sends if that need not wait; else Errc::would_block. Does not suspend.
  Result<void> try_send(T value) { return try_send_shared(std::make_shared<const T>(std::move(value))); }

  /// The same with a value that is shared already; no allocation. BUG if it is null.
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

  /// Nothing more can be sent; sends that wait fail with Errc::closed. True for the call that closed it. Does
  /// not suspend.
  bool close() noexcept { return detail::broadcast_close(core()); }
  bool closed() const noexcept { return detail::broadcast_closed(core()); }
  std::size_t capacity() const noexcept { return detail::broadcast_capacity(core()); }
  /// How many subscribers there were a moment ago.
  std::size_t subscribers() const noexcept { return detail::broadcast_subscribers(core()); }

  /// The internals, for this library.
  BroadcastCore& core() const noexcept { return detail::require_alive(core_); }

 private:
  BroadcastCore* core_;  // written by the destructor only
};

/// A subscription to a BroadcastChannel, from subscribe() to its destructor. It may outlive the channel.
///
/// Several fibers may receive from one subscriber: each value goes to one of them. Thread safety: all methods
/// but moving and destroying, which require exclusive access: BUG if somebody waits in receive(). A
/// subscriber that was moved from, or unsubscribed, may be destroyed and assigned to; anything else is a BUG.
template <class T>
class BroadcastSubscriber {
 public:
  using value_type = T;

  /// The next value. Suspends while there is none. Errc::closed (and all received), Errc::cancelled.
  /// Errc::lagged: values were lost as this subscriber was too slow; lost() says how many. The next call goes
  /// on with the oldest value that there is.
  Result<std::shared_ptr<const T>> receive() { return receive_until(Deadline::never()); }
  /// The same, given up at the deadline: Errc::timed_out. A receive that need not wait looks at no clock.
  Result<std::shared_ptr<const T>> receive_until(Deadline deadline) {
    detail::SharedValue value;
    const detail::ChannelStatus status = subscription_.receive(value, deadline);
    return detail::shared_result<T>(status, std::move(value));
  }
  /// The next value if there is one; else Errc::would_block, Errc::closed or Errc::lagged. Does not suspend.
  Result<std::shared_ptr<const T>> try_receive() {
    detail::SharedValue value;
    const detail::ChannelStatus status = subscription_.try_receive(value);
    return detail::shared_result<T>(status, std::move(value));
  }

  /// How many values this subscriber has lost so far, all together. Those that it will be told of by the next
  /// receive are not counted yet.
  std::uint64_t lost() const noexcept { return subscription_.lost(); }
  /// How many values could be received now.
  std::size_t size() const noexcept { return subscription_.size(); }

  /// Ends the subscription before the destructor does. What has not been received is dropped; a sender that
  /// waited for this subscriber goes on. Does not suspend.
  void unsubscribe() noexcept { subscription_.leave(); }
  /// Whether it receives no more, as it was moved from or unsubscribed.
  bool unsubscribed() const noexcept { return subscription_.empty(); }

  /// Receives values until there are no more: the channel is closed and all are received, or the fiber was
  /// cancelled. It passes over what was lost; lost() counts it.
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

  /// For range-for: each step receives, and so may suspend.
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

  /// The internals, for this library.
  detail::BroadcastSubscription& subscription() noexcept { return subscription_; }

 private:
  friend class BroadcastChannel<T>;
  explicit BroadcastSubscriber(BroadcastCore& core) noexcept : subscription_(core) {}

  detail::BroadcastSubscription subscription_;
};

namespace detail {

template <class T, class F>
class BroadcastReceiveInto final : public BroadcastReceiveBranch {
 public:
  BroadcastReceiveInto(BroadcastSubscriber<T>& subscriber, F&& f)
      : BroadcastReceiveBranch(subscriber.subscription()), f_(std::forward<F>(f)) {}

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

/// A branch of a select: what receive() of `subscriber` returns without waiting is given to `f`: the next
/// value, Errc::closed or Errc::lagged.
template <class T, class F>
[[nodiscard]] auto receive(BroadcastSubscriber<T>& subscriber, F&& f) {
  return detail::BroadcastReceiveInto<T, F>(subscriber, std::forward<F>(f));
}

/// A branch of a select: `value` is sent to `channel`; then `f` runs. The value is moved or copied when the
/// branch is made, whether it is taken or not. A closed channel's branch is ready: an `f` that takes a
/// Result<void> is told Errc::closed, one that takes nothing is not called, and the select says so.
template <class T, class F>
[[nodiscard]] auto send(BroadcastChannel<T>& channel, std::type_identity_t<T> value, F&& f) {
  return detail::BroadcastSendFrom<F>(channel.core(), std::make_shared<const T>(std::move(value)),
                                      std::forward<F>(f));
}
/// The same with a value that is shared already: it stays the caller's if another branch is taken.
template <class T, class F>
[[nodiscard]] auto send_shared(BroadcastChannel<T>& channel,
                               std::shared_ptr<const std::type_identity_t<T>> value, F&& f) {
  return detail::BroadcastSendFrom<F>(channel.core(), detail::require_value(std::move(value)),
                                      std::forward<F>(f));
}

}  // namespace weft
