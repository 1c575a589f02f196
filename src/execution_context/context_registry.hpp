// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "execution_context/context.hpp"

#include <mutex>

namespace weft {

/// All execution contexts of the process that have threads, for those who look at them from outside: the
/// monitor and the fiber dump. Thread safety: any thread. A context is not destroyed while somebody visits
/// it.
class ContextRegistry {
 public:
  static ContextRegistry& instance() noexcept;

  void add(Context& context) noexcept;
  /// Returns when nobody visits the context any more.
  void remove(Context& context) noexcept;

  /// How often a context has been added or removed.
  std::uint64_t changes() const noexcept { return changes_.load(seq_cst); }

  /// Around fork(), by the thread that calls it.
  void lock_for_fork() noexcept { lock_.lock(); }
  void unlock_after_fork() noexcept { lock_.unlock(); }
  /// In a child of fork(): forgets all contexts.
  void become_inherited() noexcept;

  /// Calls `visit(Context&)` for each, under the lock: it may neither create nor destroy contexts.
  template <class Visit>
  void for_each(Visit&& visit) {
    std::scoped_lock lock(lock_);
    contexts_.for_each(visit);
  }

  /// The same for a program that is about to abort: false if somebody has the lock.
  template <class Visit>
  bool try_for_each(Visit&& visit) {
    std::unique_lock lock(lock_, std::try_to_lock);
    if (!lock) return false;
    contexts_.for_each(visit);
    return true;
  }

 private:
  std::mutex lock_;
  Atomic<std::uint64_t> changes_{0};
  IntrusiveList<Context, ContextRegistry> contexts_;  // guarded by lock_
};

}  // namespace weft
