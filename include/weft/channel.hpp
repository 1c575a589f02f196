// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/access.hpp>
#include <weft/detail/channel_core.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft {

/// A queue of values between fibers of any contexts and plain threads. Values are first in, first out;
/// waiting senders and receivers are served in the order of their calls.
///
/// Capacity: with capacity 0 the channel is a rendezvous; a send returns when a receiver has taken the value.
/// Otherwise a send waits only while the channel holds `capacity()` values. A value goes directly to a
/// receiver that waits.
///
/// Closing: after close() sends fail with Errc::closed, waiting ones included. Values in the channel can
/// still be received. When the channel is empty, receives fail with Errc::closed, waiting ones included.
///
/// Cancellation and deadlines: a call that has to wait fails with Errc::cancelled if its fiber is or was
/// cancelled. Its `_until` form fails with Errc::timed_out at the deadline. No value is lost: a send that
/// fails, for any reason, has not moved from its value, and a receive that fails has taken none. A hand-over
/// and a timeout never both happen. A call that does not have to wait succeeds even if its fiber is cancelled
/// or its deadline has passed, until the fiber's budget of operations is used up.
///
/// Thread safety: any fiber or plain thread may call every method except the destructor. Calls that say so
/// suspend; they block a plain thread. Destruction: no call may be in progress; the values inside are
/// destroyed. Exception: a fiber that has received the last value may destroy the channel even if the send()
/// of that value has not returned yet.
///
/// T must be nothrow move constructible and destructible. The channel moves and destroys values while it is
/// locked, so these operations must not suspend and must not use the channel. Put other types into a
/// std::unique_ptr.
///
///     weft::Channel<Job> jobs(64);
///     weft::TaskGroup<void> workers;                            // ends before the channel does
///     workers.spawn([&] { for (Job& job : jobs) work(job); });  // until closed and drained
///     jobs.send(next_job()).value();
///     jobs.close();
///     workers.wait().value();
template <class T>
class Channel {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "a channel holds objects that are not const");
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>,
                "T is moved under the channel's lock and must not throw: use a std::unique_ptr<T>");

 public:
  using value_type = T;

  /// Throws std::length_error if `capacity` is above 2^31, and std::bad_alloc.
  explicit Channel(std::size_t capacity = 0)
      : core_(detail::create_channel(detail::kElementType<T>, capacity)) {}
  ~Channel() { detail::destroy_channel(core_, &core_); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Sends `value`. Moves from it only on success. Suspends while the channel is full; with capacity 0, until
  /// a receiver takes the value. Errors: Errc::closed, Errc::cancelled.
  Result<void> send(T&& value) { return send_until(std::move(value), Deadline::never()); }
  /// Sends a copy.
  template <class U = T>
  requires std::is_copy_constructible_v<U> Result<void> send(const T& value) {
    return send_until(value, Deadline::never());
  }
  /// The same with a deadline: Errc::timed_out. A send that does not have to wait does not read the clock.
  Result<void> send_until(T&& value, Deadline deadline) {
    return detail::result_of_status(detail::channel_send(*core_, std::addressof(value), deadline));
  }
  template <class U = T>
  requires std::is_copy_constructible_v<U> Result<void> send_until(const T& value, Deadline deadline) {
    return send_until(T(value), deadline);
  }
  /// Sends if a receiver waits or there is room; otherwise Errc::would_block. Does not suspend.
  Result<void> try_send(T&& value) {
    return detail::result_of_status(detail::channel_try_send(*core_, std::addressof(value)));
  }
  template <class U = T>
  requires std::is_copy_constructible_v<U> Result<void> try_send(const T& value) {
    return try_send(T(value));
  }

  /// Returns the next value. Suspends while there is none. Errors: Errc::closed (and empty), Errc::cancelled.
  Result<T> receive() { return receive_until(Deadline::never()); }
  /// The same with a deadline: Errc::timed_out. A receive that does not have to wait does not read the clock.
  Result<T> receive_until(Deadline deadline) {
    detail::ElementRoom<T> room;
    return room.take(detail::channel_receive(*core_, room.address(), deadline));
  }
  /// Returns the next value if the channel or a waiting sender has one; otherwise Errc::would_block or
  /// Errc::closed. Does not suspend.
  Result<T> try_receive() {
    detail::ElementRoom<T> room;
    return room.take(detail::channel_try_receive(*core_, room.address()));
  }

  /// Ends sending. True for the call that closes the channel, false if it was closed before. Does not
  /// suspend.
  bool close() noexcept { return detail::channel_close(*core_); }
  /// Whether close() was called. The channel may still hold values.
  bool closed() const noexcept { return detail::channel_closed(*core_); }
  /// The number of values in the channel a moment ago; always 0 with capacity 0.
  std::size_t size() const noexcept { return detail::channel_size(*core_); }
  bool empty() const noexcept { return size() == 0; }
  std::size_t capacity() const noexcept { return detail::channel_capacity(*core_); }

  /// Receives values until the channel is closed and empty, or the fiber is cancelled.
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = T*;
    using reference = T&;

    T& operator*() noexcept { return *value_; }
    T* operator->() noexcept { return std::addressof(*value_); }
    Iterator& operator++() {
      value_.reset();
      if (Result<T> next = channel_->receive()) value_.emplace(std::move(*next));
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) noexcept {
      return !iterator.value_.has_value();
    }

   private:
    friend class Channel;
    explicit Iterator(Channel& channel) : channel_(&channel) { ++*this; }
    Channel* channel_;
    std::optional<T> value_;
  };

  /// For range-for. Each step receives a value, and so may suspend. Several fibers may iterate at once: each
  /// value goes to one of them.
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend struct detail::Access;

  ChannelCore& core() noexcept { return *core_; }

  ChannelCore* core_;  // written by the destructor only
};

}  // namespace weft
