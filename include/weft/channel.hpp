// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/channel_core.hpp>
#include <weft/result.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace weft {

/// A queue of values between fibers of any contexts, and plain threads: first in, first out, also among those
/// who wait.
///
/// With capacity 0 it is a rendezvous: a send returns when a receiver has taken the value. Otherwise a send
/// waits only while `capacity()` values are inside. A value goes straight to a receiver that waits for one.
///
/// Closing: close() is for whoever knows that nothing more will be sent. From then on sends fail with
/// Errc::closed, those that were waiting at once; what is inside can still be received, then receives fail
/// with Errc::closed, those that were waiting at once.
///
/// Cancellation and deadlines. A call that has to wait ends with Errc::cancelled when its fiber is cancelled,
/// or was; its `_until` form ends with Errc::timed_out at the deadline. Nothing is lost by either: a send
/// that fails, however it does, has not touched its value, and a receive that fails has taken none; a value
/// and the end of a wait never cross, as one of the two wins. A call that need not wait has success also in a
/// cancelled fiber, or with a deadline that has passed, for a bounded number of times in a row: it fails when
/// the fiber has used up its budget of operations.
///
/// Thread safety: all methods but the destructor, any fiber or plain thread. Suspends: the calls that say so;
/// they block a plain thread. Destruction: nobody may be inside a call; values inside are destroyed. A fiber
/// that has received the last value may destroy the channel although the send() has not returned yet.
///
/// T must be nothrow move constructible and destructible: both happen inside the channel, so they must not
/// suspend or use the channel either. Anything else travels in a std::unique_ptr.
///
///     weft::Channel<Job> jobs(64);
///     weft::TaskGroup<void> workers;                            // ends before the channel does
///     workers.spawn([&] { for (Job& job : jobs) work(job); });  // until closed and drained
///     jobs.send(next_job()).value();
///     jobs.close();
///     workers.wait().value();
template <class T>
class Channel {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "a channel is of objects");
  static_assert(std::is_nothrow_move_constructible_v<T> && std::is_nothrow_destructible_v<T>,
                "T is moved under the channel's lock and must not throw: use a std::unique_ptr<T>");

 public:
  using value_type = T;

  /// Throws std::length_error above 2^31 values, std::bad_alloc.
  explicit Channel(std::size_t capacity = 0)
      : core_(detail::create_channel(detail::kElementType<T>, capacity)) {}
  ~Channel() { detail::destroy_channel(core_, &core_); }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Sends `value`, which is moved from only by success. Suspends while the channel is full, or with capacity
  /// 0 until a receiver has come. Errc::closed, Errc::cancelled.
  Result<void> send(T&& value) { return send_until(std::move(value), Deadline::never()); }
  /// Sends a copy.
  template <class U = T>
  requires std::is_copy_constructible_v<U> Result<void> send(const T& value) {
    return send_until(value, Deadline::never());
  }
  /// The same, given up at the deadline: Errc::timed_out. A send that need not wait looks at no clock.
  Result<void> send_until(T&& value, Deadline deadline) {
    return detail::result_of_status(detail::channel_send(*core_, std::addressof(value), deadline));
  }
  template <class U = T>
  requires std::is_copy_constructible_v<U> Result<void> send_until(const T& value, Deadline deadline) {
    return send_until(T(value), deadline);
  }
  /// Sends if a receiver waits or there is room; else Errc::would_block. Does not suspend.
  Result<void> try_send(T&& value) {
    return detail::result_of_status(detail::channel_try_send(*core_, std::addressof(value)));
  }
  template <class U = T>
  requires std::is_copy_constructible_v<U> Result<void> try_send(const T& value) {
    return try_send(T(value));
  }

  /// The next value. Suspends while there is none. Errc::closed (and drained), Errc::cancelled.
  Result<T> receive() { return receive_until(Deadline::never()); }
  /// The same, given up at the deadline: Errc::timed_out. A receive that need not wait looks at no clock.
  Result<T> receive_until(Deadline deadline) {
    detail::ElementRoom<T> room;
    return room.take(detail::channel_receive(*core_, room.address(), deadline));
  }
  /// The next value if there is one, inside or with a sender that waits; else Errc::would_block, or
  /// Errc::closed. Does not suspend.
  Result<T> try_receive() {
    detail::ElementRoom<T> room;
    return room.take(detail::channel_try_receive(*core_, room.address()));
  }

  /// Nothing more can be sent. True for the call that closed it, false if it was closed before. Does not
  /// suspend.
  bool close() noexcept { return detail::channel_close(*core_); }
  /// Whether close() was called; values may still be inside.
  bool closed() const noexcept { return detail::channel_closed(*core_); }
  /// How many values were inside a moment ago; always 0 with capacity 0.
  std::size_t size() const noexcept { return detail::channel_size(*core_); }
  bool empty() const noexcept { return size() == 0; }
  std::size_t capacity() const noexcept { return detail::channel_capacity(*core_); }

  /// Receives values until there are no more: the channel is closed and drained, or the fiber was cancelled.
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

  /// For range-for: each step receives, and so may suspend. Several fibers may do it at once: each value goes
  /// to one of them.
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

  /// The internals, for this library.
  ChannelCore& core() noexcept { return *core_; }

 private:
  ChannelCore* core_;  // written by the destructor only
};

}  // namespace weft
