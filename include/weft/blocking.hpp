// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/blocking_pool.hpp>
#include <weft/deadline.hpp>

#include <utility>

namespace weft {

/// The pool of the process, named "blocking". It has at most 64 threads and keeps none that is idle for ten
/// seconds; resize() changes the first. It starts no thread before the first call, and never ends.
BlockingPool& default_blocking_pool() noexcept;

/// Calls `f` on a thread of the default pool, so that the other fibers go on while it blocks. Returns its
/// value as a Result, and throws what it throws. `f` may use local variables of the caller. Cancellable until
/// `f` has started; then waits until `f` has ended. Suspends. BlockingPool::run() has the details.
///
///     auto digest = weft::blocking([&] { return slow_hash(text); });
template <class F>
auto blocking(F&& f) {
  return default_blocking_pool().run(std::forward<F>(f));
}

/// The same with a deadline for the start of `f`: Errc::timed_out, and `f` is never called.
template <class F>
auto blocking_until(Deadline deadline, F&& f) {
  return default_blocking_pool().run_until(deadline, std::forward<F>(f));
}

}  // namespace weft
