// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/intrusive_list.hpp"
#include "fiber/waiter.hpp"

#include <mutex>

namespace weft {

/// A plain thread that waits: it sleeps on a futex. One for each thread that has ever waited, until it ends;
/// all of them are known, for dumps and for who looks whether anybody can go on.
class ThreadWaiter final : public Waiter, public ListNode<ThreadWaiter> {
 public:
  ThreadWaiter() noexcept;
  ~ThreadWaiter();

  /// Sleeps until unpark(); the deadline is the thread's own business, it has no event loop.
  void park() noexcept;
  /// The waiter may return, and its thread end, between the two steps of this: the second looks only at the
  /// address.
  void unpark() noexcept;

  /// Whether it sleeps, or is about to, until its wait is won. Of meaning only while the wait is held.
  bool parked() const noexcept { return parked_.load(acquire); }
  /// The kernel's id of the thread.
  int thread_id() const noexcept { return thread_id_; }

  /// In a child of fork(): the calling thread is the only one.
  static void forget_other_threads() noexcept;

  /// Calls `visit(ThreadWaiter&)` for each; none of them ends meanwhile. Any thread.
  template <class Visit>
  static void for_each(Visit&& visit) {
    All& all = ThreadWaiter::all();
    const std::scoped_lock lock(all.lock);
    all.list.for_each(visit);
  }

 private:
  struct All {
    std::mutex lock;
    IntrusiveList<ThreadWaiter, ThreadWaiter> list;  // guarded by lock
  };
  static All& all() noexcept;

  void timed_out() noexcept;

  void refuse_to_wait_alone() const noexcept;

  int thread_id_;
  Atomic<bool> parked_{false};
  Atomic<std::uint32_t> token_{0};
};

}  // namespace weft
