// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/cancel_scope.hpp>
#include <weft/detail/group_core.hpp>

#include <chrono>
#include <functional>
#include <type_traits>
#include <utility>

namespace weft {

/// Calls `f` in a CancelScope with that deadline. Gives what `f` returns, as a Result: an f that returns
/// nothing gives Errc::timed_out or Errc::cancelled if the scope has ended, one that returns a value gives it
/// in any case.
///
///     auto reply = weft::with_timeout(2s, [&] { return client.get(url); });
template <class F>
auto with_deadline(Deadline deadline, F&& f) {
  using Returned = std::invoke_result_t<F>;
  using Value = typename detail::IsResult<Returned>::Value;
  CancelScope scope(deadline);
  if constexpr (std::is_void_v<Returned>) {
    std::invoke(std::forward<F>(f));
    return scope.status();
  } else {
    return Result<Value>(std::invoke(std::forward<F>(f)));
  }
}

/// The same with a time from now.
template <class Rep, class Period, class F>
auto with_timeout(std::chrono::duration<Rep, Period> timeout, F&& f) {
  return with_deadline(Deadline::after(timeout), std::forward<F>(f));
}

}  // namespace weft
