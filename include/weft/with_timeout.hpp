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

/// Calls `f` in a CancelScope with that deadline, and returns its result as a Result. A value is returned as
/// it is, even after the deadline. A Result is returned unchanged, an error code as Result<void>. Let `f`
/// return the Result of its waits.
///
/// If `f` returns void, the result is success, even after the deadline, unless the scope has stopped `f`: the
/// scope or an enclosing one has ended a wait in it, or this_fiber::cancel_requested() has returned true in
/// it. Then the result is Errc::timed_out or Errc::cancelled.
///
///     auto reply = weft::with_timeout(2s, [&] { return ask(server); });
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

/// The same with a duration from now.
template <class Rep, class Period, class F>
auto with_timeout(std::chrono::duration<Rep, Period> timeout, F&& f) {
  return with_deadline(Deadline::after(timeout), std::forward<F>(f));
}

}  // namespace weft
