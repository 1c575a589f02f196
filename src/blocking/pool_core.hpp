// SPDX-License-Identifier: Apache-2.0
#pragma once

// A blocking pool: a queue of calls, threads that take them, and threads that are idle
// (docs/design/blocking.md).
//
// Thread safety: any fiber or thread. One spin lock guards it all; no call and no wake-up is made with it.
// Invariants: BP1 while a call stands in the queue, a thread is on its way to it: busy, woken or being
// started. BP2 a thread that has taken a call owns its caller's wait, and so the caller's frame, until it
// wakes the caller. BP3 a thread that was taken off the list of idle ones gets a token, and does not end
// before it. BP4 a thread's last touch of the pool is the end of the section in which it counts itself out.

#include "base/intrusive_list.hpp"
#include "base/spin_lock.hpp"
#include "blocking/blocking_task.hpp"
#include "execution_context/idle/parker.hpp"

#include <weft/blocking_pool.hpp>

#include <cstdint>
#include <string>

namespace weft {

/// A thread of a pool, on that thread's stack.
struct PoolThread : ListNode<> {
  Parker parker;
};

class BlockingPoolCore : public ListNode<BlockingPoolCore> {
 public:
  static constexpr std::uint32_t kThreadsMax = 1000;

  explicit BlockingPoolCore(BlockingOptions options);
  /// BUG while a call waits for a thread. Blocks the thread until those that have started have ended.
  ~BlockingPoolCore();
  BlockingPoolCore(const BlockingPoolCore&) = delete;
  BlockingPoolCore& operator=(const BlockingPoolCore&) = delete;

  /// Waits until a thread has run the task, whose `exception` then says what it has thrown; or an error, and
  /// it was not run. Suspends.
  Result<void> run(BlockingTask& task, Deadline deadline, detail::BlockingStart start);

  void resize(std::uint32_t threads_max);
  BlockingCounters counters() noexcept;
  std::string_view name() const noexcept { return name_; }

  /// In a child of fork(): none of the threads is there, and whoever waits is the parent's.
  void become_inherited() noexcept;

 private:
  // -- by callers (pool_core.cpp)
  Result<void> run_while_time_stands_still(BlockingTask& task, detail::BlockingStart start);
  bool submit(BlockingTask& task, detail::BlockingStart start) noexcept;
  void take_back(BlockingTask& task) noexcept;
  void fail_all() noexcept;
  PoolThread* pop_idle_locked() noexcept;

  // -- threads (pool_thread.cpp)
  bool start_thread(std::uint64_t number) noexcept;
  void thread_main(std::uint64_t number) noexcept;
  /// A call that this thread runs, and the wait that it has taken over.
  struct Claimed {
    BlockingTask* task = nullptr;
    WaitTicket ticket;
  };
  Claimed take_next_locked() noexcept;
  bool rest(PoolThread& self, bool rested) noexcept;
  bool count_out_locked(bool rested) noexcept;
  static void run_task(BlockingTask& task) noexcept;
  static void wake_caller(const Claimed& done) noexcept;

  const std::string name_;
  const std::uint32_t threads_min_;
  const std::int64_t idle_timeout_ns_;

  SpinLock lock_;
  // Guarded by lock_.
  WaitList queue_;
  std::size_t queue_size_ = 0;
  IntrusiveList<PoolThread> idle_;  // the one that was busy last stands first
  std::uint32_t idle_count_ = 0;
  std::uint32_t threads_ = 0;  // those that are being started included
  std::uint32_t threads_max_;
  bool ending_ = false;
  std::uint64_t started_threads_ = 0;
  std::uint64_t started_calls_ = 0;
};

/// From here on the pool is made anew in a child of fork(); until its end.
void add_pool(BlockingPoolCore& pool);
void remove_pool(BlockingPoolCore& pool) noexcept;

/// The pool whose thread is calling; null on another thread.
BlockingPoolCore* pool_of_this_thread() noexcept;

}  // namespace weft
