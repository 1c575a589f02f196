// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/atomic.hpp"
#include "base/spin_lock.hpp"
#include "fiber/fiber_queue.hpp"

#include <algorithm>
#include <cstddef>
#include <mutex>

namespace weft {

/// The queue of an execution context for everybody who is not one of its schedulers: first in first out
/// (L12). Thread safety: any thread.
class GlobalQueue {
 public:
  void push(Fiber& fiber) noexcept {
    std::scoped_lock lock(lock_);
    queue_.push(fiber);
    size_.store(queue_.size(), seq_cst);  // submit: publish, then look for a sleeper (S2)
  }

  void push(FiberQueue& fibers) noexcept {
    std::scoped_lock lock(lock_);
    queue_.splice(fibers);
    size_.store(queue_.size(), seq_cst);
  }

  /// Moves the oldest fibers, at most `count_max`, to `taken`.
  void take(FiberQueue& taken, std::size_t count_max) noexcept {
    if (empty()) return;
    std::scoped_lock lock(lock_);
    for (std::size_t count = std::min(count_max, queue_.size()); count != 0; --count)
      taken.push(*queue_.pop());
    size_.store(queue_.size(), seq_cst);
  }

  std::size_t size() const noexcept { return size_.load(relaxed); }  // a hint
  bool empty() const noexcept { return size_.load(seq_cst) == 0; }   // sleep: announce, then look (S2)

 private:
  SpinLock lock_;
  FiberQueue queue_;
  Atomic<std::size_t> size_{0};
};

}  // namespace weft
