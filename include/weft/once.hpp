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

/// The flag of call_once(). Like std::once_flag, for fibers of any contexts and plain threads. Destruction:
/// allowed when no call_once() with it is in progress.
class Once {
 public:
  constexpr Once() noexcept = default;
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;

  /// True if a function has returned. Its writes are then visible to the caller.
  bool done() const noexcept { return done_.load(detail::acquire); }

 private:
  template <class F, class... Arguments>
  friend void call_once(Once& once, F&& function, Arguments&&... arguments);
  template <class F, class... Arguments>
  friend Result<void> call_once_until(Once& once, Deadline deadline, F&& function, Arguments&&... arguments);

  /// Called with the mutex locked. If the function throws, the flag is unchanged.
  template <class F, class... Arguments>
  void call(F&& function, Arguments&&... arguments) {
    if (done_.load(detail::relaxed)) return;  // relaxed: written under the mutex
    std::invoke(std::forward<F>(function), std::forward<Arguments>(arguments)...);
    done_.store(true, detail::release);
  }

  Mutex mutex_;
  detail::Atomic<bool> done_{false};
};

/// Calls `function(arguments...)` if no call with this flag has returned yet. Other callers wait until it
/// ends. If the function throws, this call throws the exception, and the next caller calls the function. The
/// function may suspend. If it calls call_once() with the same flag, it waits for itself (a BUG in builds
/// with WEFT_CHECK_LOCKS). Suspends while another call runs. Not cancellable; see call_once_until().
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

/// The same, but the wait for another caller fails at the deadline (Errc::timed_out) or when the calling
/// fiber is cancelled (Errc::cancelled). The function itself has no time limit.
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
