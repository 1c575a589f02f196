// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <weft/deadline.hpp>
#include <weft/detail/blocking_call.hpp>
#include <weft/result.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

class BlockingPoolCore;

namespace detail {
struct DeleteBlockingPool {
  void operator()(BlockingPoolCore* core) const noexcept;
};
/// When a call is made: as soon as a thread is free, or now or never.
enum class BlockingStart : bool { kWaits, kNow };
/// Calls `run(call)` on a thread of the pool. Throws what it throws.
Result<void> run_on_pool(BlockingPoolCore& core, void (*run)(void*), void* call, Deadline deadline,
                         BlockingStart start = BlockingStart::kWaits);
}  // namespace detail

/// Options for BlockingPool.
struct BlockingOptions {
  /// The threads are named "name-0", "name-1" and so on, cut to 15 bytes.
  std::string name = "blocking";
  /// So many idle threads stay. They are started when they are first needed.
  std::uint32_t threads_min = 0;
  /// The most calls that run at the same time, 1 to 1,000.
  std::uint32_t threads_max = 64;
  /// An idle thread above `threads_min` ends after this time.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(10);
};

/// Counts of one moment.
struct BlockingCounters {
  std::uint32_t threads = 0;          ///< that are there, idle ones included
  std::uint32_t idle_threads = 0;     ///< that wait for a call
  std::size_t waiting_calls = 0;      ///< that wait for a thread
  std::uint64_t started_calls = 0;    ///< ever
  std::uint64_t started_threads = 0;  ///< ever
};

/// Threads for calls that block: system calls without a non-blocking form, libraries that wait, long
/// computations. A fiber that calls run() suspends, and the other fibers of its thread go on.
///
///     weft::BlockingPool database("database", {.threads_max = 8});
///     weft::Result<Row> row = database.run([&] { return connection.query(text); });
///
/// Threads: a call that finds no idle thread starts one, up to `threads_max`. Further calls wait for a
/// thread, in the order of their calls. There is no other limit on them: each waits in its caller's frame,
/// and its caller waits, too. A thread that has had no call for `idle_timeout` ends. All signals are blocked
/// in these threads, except those that a thread causes itself (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
/// SIGSYS, SIGABRT), so handlers of the program do not interrupt a call. A child process that a call starts
/// inherits that mask.
///
/// Thread safety: any fiber or plain thread may call any method. Destruction: waits, with its thread, until
/// the calls that have started have ended and the threads are gone. BUG if a call still waits for a thread.
/// After fork() the pool is empty in the child and starts threads of its own.
class BlockingPool {
 public:
  /// Starts no thread. Throws std::system_error if the numbers are out of range.
  explicit BlockingPool(BlockingOptions options = {});
  explicit BlockingPool(std::string name, BlockingOptions options = {});
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Calls `f` on a thread of the pool, and returns its value as a Result. A Result is returned unchanged, an
  /// error code as Result<void>. Throws what `f` throws. `f` may use local variables of the caller: run()
  /// never returns while `f` runs. Suspends the calling fiber, or blocks a plain thread. A call from a
  /// thread of this pool calls `f` at once.
  ///
  /// Cancellable until `f` has started: fails with Errc::cancelled when the calling fiber is cancelled, or
  /// with Errc::timed_out at the deadline of the enclosing scope; then `f` is never called. From then on
  /// nothing ends the wait: run() returns when `f` has returned, with its value, also if the fiber was
  /// cancelled meanwhile. `f` inherits the scope and the scoped values of its caller: a wait in it, on
  /// weft's objects, ends with that scope, and a CancelScope that it makes says by status() whether to stop.
  /// Errors of the kernel if the pool has no thread and cannot start one.
  ///
  /// In a simulated world the virtual time and all fibers stand still while `f` runs.
  ///
  /// Costs two switches between threads, and no allocation.
  template <class F>
  auto run(F&& f) {
    return run_until(Deadline::never(), std::forward<F>(f));
  }
  /// The same with a deadline for the start of `f`: Errc::timed_out, and `f` is never called.
  template <class F>
  auto run_until(Deadline deadline, F&& f) {
    using Call = detail::BlockingCall<F&&>;
    Call call(std::forward<F>(f));
    return call.take(detail::run_on_pool(*core_, &Call::run, &call, deadline));
  }

  /// The same if a thread is free, or one more may be started; otherwise Errc::would_block at once, and `f`
  /// is never called. For servers that refuse work rather than let it wait.
  template <class F>
  auto try_run(F&& f) {
    using Call = detail::BlockingCall<F&&>;
    Call call(std::forward<F>(f));
    return call.take(
        detail::run_on_pool(*core_, &Call::run, &call, Deadline::never(), detail::BlockingStart::kNow));
  }

  /// Changes `threads_max`. Threads above it leave when their calls have ended. Throws std::system_error if
  /// it is out of range. Does not suspend.
  void resize(std::uint32_t threads_max);

  std::string_view name() const noexcept;
  BlockingCounters counters() const noexcept;

 private:
  std::unique_ptr<BlockingPoolCore, detail::DeleteBlockingPool> core_;
};

}  // namespace weft
