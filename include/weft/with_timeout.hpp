// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/cancel_scope.hpp>
#include <weft/detail/cancel_node_storage.hpp>
#include <weft/detail/outcome.hpp>

#include <chrono>
#include <functional>
#include <type_traits>
#include <utility>

namespace weft {

namespace detail {

/// A cancel scope that knows whether it has stopped anything.
class WatchedScope {
 public:
  explicit WatchedScope(Deadline deadline) noexcept { node_.enter(deadline); }
  ~WatchedScope() { node_.leave(); }
  WatchedScope(const WatchedScope&) = delete;
  WatchedScope& operator=(const WatchedScope&) = delete;

  Result<void> stopped() const noexcept { return node_.stopped(); }

 private:
  CancelNodeStorage node_;
};

}  // namespace detail

/// Calls `f` in a CancelScope with that deadline. Gives what `f` returns, as a Result: a value in any case,
/// also after the deadline; a Result as it is; an error code as Result<void>. Let `f` return the Result of
/// its waits.
///
/// An `f` that returns nothing cannot say how it went. It gives success, also after the deadline, unless it
/// was stopped: a wait in it was ended by this scope, or by what ends this scope, or
/// this_fiber::cancel_requested() has told it so. Then that error, Errc::timed_out or Errc::cancelled.
///
///     auto reply = weft::with_timeout(2s, [&] { return client.get(url); });
///     auto taken = weft::with_timeout(100ms, [&] { return semaphore.acquire(); });
template <class F>
auto with_deadline(Deadline deadline, F&& f) {
  using Returned = std::invoke_result_t<F>;
  if constexpr (std::is_void_v<Returned>) {
    const detail::WatchedScope scope(deadline);
    std::invoke(std::forward<F>(f));
    return scope.stopped();
  } else {
    const CancelScope scope(deadline);
    return detail::Outcome<Returned>::of(std::invoke(std::forward<F>(f)));
  }
}

/// The same with a time from now.
template <class Rep, class Period, class F>
auto with_timeout(std::chrono::duration<Rep, Period> timeout, F&& f) {
  return with_deadline(Deadline::after(timeout), std::forward<F>(f));
}

}  // namespace weft
