// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace weft::detail {

/// The library's own way to what stands behind a public object. No promises about this header.
struct Access {
  /// Of an execution context, a channel of any kind, or a set of signals.
  template <class Object>
  static auto& core(Object& object) noexcept {
    return object.core();
  }
  /// The fiber of a join handle. REQUIRES: joinable().
  template <class Handle>
  static auto& fiber(const Handle& handle) noexcept {
    return handle.fiber();
  }
  /// What a subscriber of a broadcast channel has subscribed to.
  template <class Subscriber>
  static auto& subscription(Subscriber& subscriber) noexcept {
    return subscriber.subscription();
  }
  /// How far a receiver of a watch channel has come.
  template <class Receiver>
  static auto& place(Receiver& receiver) noexcept {
    return receiver.place();
  }
};

}  // namespace weft::detail
