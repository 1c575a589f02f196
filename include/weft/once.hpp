// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/atomic.hpp>
#include <weft/mutex.hpp>
#include <weft/result.hpp>

#include <functional>
#include <mutex>
#include <utility>

namespace weft {

/// The flag of call_once(): the function was called. Like std::once_flag, for fibers of any contexts and
/// plain threads. Destruction: when nobody is in a call_once() with it.
class Once {
 public:
  constexpr Once() noexcept = default;
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  /// Whether a function has returned: what it did is seen by the caller.
  bool done() const noexcept { return done_.load(detail::acquire); }

 private:
  template <class F, class... Arguments>
  friend void call_once(Once& once, F&& function, Arguments&&... arguments);
  template <class F, class... Arguments>
  friend Result<void> call_once_until(Once& once, Deadline deadline, F&& function, Arguments&&... arguments);

  /// With the mutex. An exception of the function leaves the flag as it was.
  template <class F, class... Arguments>
  void call(F&& function, Arguments&&... arguments) {
    if (done_.load(detail::relaxed)) return;  // relaxed: written under the mutex
    std::invoke(std::forward<F>(function), std::forward<Arguments>(arguments)...);
    done_.store(true, detail::release);
  }

  Mutex mutex_;
  detail::Atomic<bool> done_{false};
};

/// Calls `function(arguments...)` if no call with this flag has returned yet; others that come meanwhile wait
/// for its end. If it throws, so does this call, and the next one tries. The function may suspend; if it
/// calls call_once() with the same flag, it waits for itself (a BUG in builds with WEFT_CHECK_LOCKS).
/// Suspends: while another call runs. Not cancellable, see call_once_until().
///
///     static weft::Once once;
///     weft::call_once(once, [] { load_table(); });
template <class F, class... Arguments>
void call_once(Once& once, F&& function, Arguments&&... arguments) {
  if (once.done()) [[likely]]
    return;
  const std::scoped_lock lock(once.mutex_);
  once.call(std::forward<F>(function), std::forward<Arguments>(arguments)...);
}

/// The same, but the wait for another's call is given up at the deadline (Errc::timed_out) or when the
/// calling fiber is cancelled (Errc::cancelled). A call of the function itself is not limited.
template <class F, class... Arguments>
Result<void> call_once_until(Once& once, Deadline deadline, F&& function, Arguments&&... arguments) {
  if (once.done()) [[likely]]
    return {};
  if (Result<void> locked = once.mutex_.lock_until(deadline); !locked) return locked;
  const std::scoped_lock lock(std::adopt_lock, once.mutex_);
  once.call(std::forward<F>(function), std::forward<Arguments>(arguments)...);
  return {};
}

}  // namespace weft
